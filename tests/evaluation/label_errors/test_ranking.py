from __future__ import annotations

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from relabel.evaluation.label_errors.ranking import rank
from relabel.evaluation.label_errors.scene import look
from relabel.evaluation.label_errors.suspicion import ErrorType
from relabel.evaluation.label_errors.wrong_class import find_wrong_class

from .worlds import distorted, make_world, table


def ranked(world, types=tuple(ErrorType)):
    return rank(look(world.truth, world.predictions), types)


def subject(world, one):
    """The id of what is suspected; of two labels of one object, either may be one too many."""
    if one.label is None:
        return world.predictions.ids[one.prediction]
    own = world.truth.ids[one.label]
    return f"{own.rstrip('x')}x" if one.type is ErrorType.DUPLICATE else own


@pytest.fixture(scope="module")
def world():
    return make_world(0)


@pytest.fixture(scope="module")
def suspicions(world):
    return ranked(world)


def test_rank__most_planted_errors_come_first(world, suspicions):
    first = [subject(world, one) for one in suspicions[: len(world.wrong)]]
    assert sum(one in world.wrong for one in first) >= 0.75 * len(first)
    assert sum(one in world.wrong for one in first[:20]) >= 19


@pytest.mark.parametrize("kind", list(ErrorType))
def test_rank__errors_of_each_type_are_found_as_such(world, suspicions, kind):
    planted = {one for one, what in world.wrong.items() if what is kind}
    first = suspicions[: 2 * len(world.wrong)]
    found = {subject(world, one) for one in first if one.type is kind}
    assert len(planted) >= 5
    assert len(planted & found) >= 0.7 * len(planted)


def test_rank__says_what_should_be_there(world, suspicions):
    seen = dict(zip(world.predictions.ids, world.predictions.label, strict=True))
    for one in suspicions[: len(world.wrong)]:
        if one.type in (ErrorType.WRONG_CLASS, ErrorType.MISSING):
            assert one.instead == seen[world.predictions.ids[one.prediction]]
        if one.attribute == "iscrowd":
            assert one.instead is not bool(world.truth.crowd[one.label])


def test_rank__probability_is_about_how_many_are_right(world):
    worlds = [make_world(seed) for seed in range(4)]
    pairs = [
        (one.probability, subject(other, one) in other.wrong)
        for other in worlds
        for one in ranked(other)
    ]
    likely = [right for probability, right in pairs if probability > 0.9]
    unlikely = [right for probability, right in pairs if probability < 0.2]
    assert np.mean(likely) > 0.8
    assert np.mean(unlikely) < 0.2


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(lambda sure: sure**0.1, id="much too sure"),
        pytest.param(lambda sure: sure**6, id="much too shy"),
        pytest.param(lambda sure: 1 / (1 + np.exp(-20 * (sure - 0.8))), id="a step"),
    ],
)
def test_rank__other_calibrations_change_nothing(world, suspicions, curve):
    assert ranked(distorted(world, curve)) == suspicions


def test_rank__each_label_once(suspicions):
    counts = Counter((one.label, one.prediction if one.label is None else 0) for one in suspicions)
    assert max(counts.values()) == 1


def test_rank__worst_first(suspicions):
    probabilities = [one.probability for one in suspicions]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 < probability <= 1 for probability in probabilities)


def test_rank__only_types_asked_for(world):
    assert {one.type for one in ranked(world, [ErrorType.BAD_BOX])} == {ErrorType.BAD_BOX}
    assert ranked(world, []) == []


def test_rank__perfect_labels_and_a_perfect_model():
    boxes = [(number, f"{number}", "cat", (0.1, 0.1, 0.2, 0.2), False) for number in range(50)]
    scene = look(table(boxes), table(boxes, np.linspace(0.5, 1, 50)))
    assert [one for one in rank(scene) if one.probability > 0.5] == []


def test_rank__nothing_to_judge():
    box = (0, "a", "cat", (0.1, 0.1, 0.2, 0.2), False)
    none, labels, found = table([]), table([box]), table([box], [0.9])
    for truth, predictions in ((none, none), (labels, none), (none, found), (labels, found)):
        assert all(one.image == 0 for one in rank(look(truth, predictions)))


def test_rank__tells_what_it_looks_for(world):
    told = []
    rank(look(world.truth, world.predictions), told=told.append)
    assert told == list(ErrorType)


def test_find_wrong_class__of_many_labels_and_classes_takes_little_memory():
    """As of LVIS: a table of labels and classes would take gigabytes."""
    labels, classes = 3000, 3000
    rows = [(n, f"{n}", f"{n % classes}", [0.1, 0.1, 0.2, 0.2], False) for n in range(labels)]
    scene = look(table(rows), table(rows, [0.9] * labels))
    tracemalloc.start()
    (found,) = find_wrong_class(scene, np.random.default_rng(0))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 0
    assert most < 0.1 * 8 * labels * classes
