from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.evaluation.label_errors.outcomes import (
    LabelNow,
    Verdict,
    judge,
    summarize,
)
from relabel.evaluation.label_errors.queue import LabelError
from relabel.evaluation.label_errors.suspicion import ErrorType

BOX = (0.1, 0.1, 0.2, 0.2)
NOW = LabelNow("label", "cat", BOX, {"iscrowd": False})


def suspicion(kind, **more):
    values = {"label_id": "label", "prediction_id": None, "label": "cat", "box": BOX, **more}
    return LabelError(type=kind, probability=0.9, sample_id="sample", **values)


def verdict(error, *now, looked_at=("sample",)):
    [outcome] = judge([error], {"sample": now}, looked_at)
    return outcome.verdict


CLASS = suspicion(ErrorType.WRONG_CLASS, instead="dog")
PLACE = suspicion(ErrorType.BAD_BOX)
CROWD = suspicion(ErrorType.ATTRIBUTE, attribute="iscrowd", instead=True)
COLOUR = suspicion(ErrorType.ATTRIBUTE, attribute="colour", instead="green", value="red")
DOUBLE = suspicion(ErrorType.DUPLICATE)
NOTHING = suspicion(ErrorType.SPURIOUS)
MISSING = suspicion(ErrorType.MISSING, label_id=None, prediction_id="found", instead="cat")
MOVED = replace(NOW, box=(0.12, 0.1, 0.2, 0.2))


@pytest.mark.parametrize(
    "error", [CLASS, PLACE, CROWD, replace(CROWD, value=False), DOUBLE, NOTHING]
)
def test_judge__a_label_that_was_looked_at_and_left(error):
    assert verdict(error, NOW) is Verdict.MODEL_WRONG
    assert verdict(error, replace(NOW, attributes={})) is Verdict.MODEL_WRONG
    assert verdict(error, NOW, looked_at=()) is Verdict.LEFT


@pytest.mark.parametrize(
    ("error", "now"),
    [
        (CLASS, [replace(NOW, label="dog")]),
        (CLASS, [replace(NOW, label="bird")]),
        (PLACE, [MOVED]),
        (CROWD, [replace(NOW, attributes={"iscrowd": True})]),
        (DOUBLE, []),
        (replace(DOUBLE, twin_id="twin"), [NOW]),
        (NOTHING, []),
        (MISSING, [replace(NOW, id="new")]),
    ],
)
def test_judge__fixed_as_suspected(error, now):
    assert verdict(error, *now) is Verdict.FIXED


@pytest.mark.parametrize(
    ("error", "now"),
    [
        (CLASS, [MOVED]),
        (CLASS, []),
        (PLACE, [replace(NOW, label="dog")]),
        (CROWD, [MOVED]),
        (COLOUR, [replace(NOW, attributes={"colour": "blue"})]),
        (COLOUR, [replace(NOW, attributes={})]),
        (NOTHING, [MOVED]),
        (MISSING, [replace(NOW, id="new", label="dog")]),
    ],
)
def test_judge__fixed_otherwise(error, now):
    assert verdict(error, *now) is Verdict.FIXED_OTHERWISE


@pytest.mark.parametrize("error", [CLASS, DOUBLE, NOTHING, MISSING])
def test_judge__a_sample_that_was_deleted(error):
    [outcome] = judge([error], {}, ["sample"])
    assert outcome.verdict is Verdict.LEFT


def test_judge__two_labels_that_were_looked_at_and_left():
    twin = replace(NOW, id="twin")
    assert verdict(replace(DOUBLE, twin_id="twin"), NOW, twin) is Verdict.MODEL_WRONG


def test_judge__nothing_was_missing():
    elsewhere = replace(NOW, box=(0.7, 0.7, 0.1, 0.1))
    assert verdict(MISSING, elsewhere) is Verdict.MODEL_WRONG


def test_judge__a_float_that_came_back():
    assert verdict(PLACE, replace(NOW, box=(0.1 + 1e-12, 0.1, 0.2, 0.2))) is Verdict.MODEL_WRONG


def test_judge__a_sample_that_is_gone():
    [outcome] = judge([MISSING], {}, ())
    assert outcome.verdict is Verdict.LEFT


def test_summarize__precision_of_those_looked_at():
    outcomes = [
        *judge([CLASS, PLACE], {"sample": [replace(NOW, label="dog")]}, ["sample"]),
        *judge([CLASS], {"sample": [NOW]}, ["sample"]),
        *judge([CLASS], {"sample": [NOW]}, []),
    ]
    verdicts = [(one.error.type, one.verdict) for one in outcomes]
    by_type = {one.type: one for one in summarize(verdicts)}
    assert by_type[ErrorType.WRONG_CLASS].precision == 0.5
    assert by_type[ErrorType.BAD_BOX].precision == 1
    assert (by_type[None].fixed, by_type[None].model_wrong, by_type[None].left) == (2, 1, 1)
    assert set(by_type) == {ErrorType.WRONG_CLASS, ErrorType.BAD_BOX, None}


def test_summarize__nothing_yet():
    [all_types] = summarize([])
    assert all_types.precision is None
