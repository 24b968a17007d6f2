from __future__ import annotations

import pytest
from fiftyone.operators.store import ExecutionStore

from relabel.compute import rates
from relabel.compute.rates import CLUSTER, GPU, Machine, forecast, in_words, measured, record

LAPTOP = Machine("laptop", "8 CPUs")
DESKTOP = Machine("desktop", "16 CPUs")
TWIN = Machine("laptop-2", "8 CPUs")
BIG = Machine("big", "1 GPU: H200", GPU)
CLOUD = Machine("the Ray cluster", "10.0.0.5:6379", CLUSTER)
NAME = "@relabel/cvat/apply_model"


def each(_):
    return 1000


@pytest.fixture(autouse=True)
def _nothing_measured(database):
    ExecutionStore.create(rates.STORE).clear()


def told(machine, model="m"):
    found = forecast(measured(NAME), machine, model, each)
    if found is None:
        return None
    return round(found.seconds), found.rate.machine != machine, found.rate.model != model


def test_measured__never():
    assert measured(NAME) == []
    assert forecast([], LAPTOP, "m", each) is None


def test_measured__all_steps_of_the_last_run():
    record(NAME, BIG, "m", "images", 0.5)
    record(NAME, BIG, "m", "images", 0.25)
    record(NAME, BIG, "m", "images compared", 0.05)
    record(f"{NAME}_else", BIG, "m", "images", 9.0)
    [rate] = measured(NAME)
    assert rate.machine == BIG
    assert rate.steps == {"images": 0.25, "images compared": 0.05}
    assert rate.seconds(each) == pytest.approx(300)
    assert rate.seconds({"images": 4, "images compared": 100}.__getitem__) == pytest.approx(6)


def test_forecast__of_the_same_machine_and_model_before_all_others():
    record(NAME, LAPTOP, "m", "images", 1.0)
    record(NAME, BIG, "m", "images", 0.01)
    record(NAME, LAPTOP, "large", "images", 7.0)
    record(NAME, TWIN, "m", "images", 2.0)
    assert told(LAPTOP) == (1000, False, False)
    assert told(BIG) == (10, False, False)
    assert told(LAPTOP, "large") == (7000, False, False)


def test_forecast__by_what_comes_nearest():
    record(NAME, LAPTOP, "other", "images", 3.0)
    assert told(LAPTOP) == (3000, False, True)
    assert told(TWIN) is None  # neither the machine nor the model
    record(NAME, DESKTOP, "m", "images", 2.0)
    assert told(TWIN) == (2000, True, False)  # of the same kind
    assert told(LAPTOP) == (3000, False, True)
    record(NAME, TWIN, "m", "images", 1.0)
    assert told(LAPTOP) == (1000, True, False)  # with the same hardware


@pytest.mark.parametrize("there", [LAPTOP, BIG, CLOUD])
def test_forecast__never_across_kinds(there):
    record(NAME, there, "m", "images", 1.0)
    kinds = [LAPTOP, BIG, CLOUD]
    assert [told(machine) is not None for machine in kinds] == [one == there for one in kinds]


def test_forecast__of_a_machine_that_nobody_knows_yet():
    record(NAME, BIG, "m", "images", 0.01)
    record(NAME, LAPTOP, "m", "images", 1.0)
    assert told(None) == (1000, True, False)
    assert told(None, "other") is None


@pytest.mark.parametrize(
    ("machine", "model", "said"),
    [
        (
            None,
            "m",
            "About 17 minutes, as measured on laptop (8 CPUs), if what runs it is as fast.",
        ),
        (LAPTOP, "m", "About 17 minutes, as measured on laptop (8 CPUs)."),
        (TWIN, "m", "About 17 minutes, as measured on laptop (8 CPUs), not on this machine yet."),
        (
            LAPTOP,
            "x",
            "About 17 minutes, as measured on laptop (8 CPUs) with m, not with this model yet.",
        ),
    ],
)
def test_forecast__says_by_what(machine, model, said):
    record(NAME, LAPTOP, "m", "images", 1.0)
    assert str(forecast(measured(NAME), machine, model, each)) == said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2, "a few seconds"), (40, "40 seconds"), (180, "3 minutes"), (9000, "2.5 hours")],
)
def test_in_words__of_every_size(seconds, words):
    assert in_words(seconds) == words
