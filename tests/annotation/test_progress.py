"""A pull says how far it is, and can be cancelled before it writes."""

from __future__ import annotations

import pytest

from relabel.annotation import pull, review_pull
from tests.annotation.stock_rounds import stored
from tests.annotation.test_unreadable import Editor, move_all

pytestmark = pytest.mark.cvat


class CancelledHere(Exception):
    pass


def test_pull__says_how_far_it_is_and_leaves_nothing_if_cancelled(dataset, client, send):
    record = send(images_per_task=3)
    for task in record.tasks:
        editor = Editor(client, record)
        editor.task = task
        move_all(editor)
    before = stored(dataset)
    told = []

    def hear(share, label):
        told.append((share, label))
        if "Writing" in label:
            raise CancelledHere

    review_pull(dataset, "round_1", client, progress=hear)
    assert [label for _, label in told] == ["Compared 0 of 2 jobs", "Compared 1 of 2 jobs"]
    told.clear()
    with pytest.raises(CancelledHere):
        pull(dataset, "round_1", client, progress=hear)
    assert told[-1] == (0.5, "Writing the labels of 6 images")
    assert stored(dataset) == before
    assert len(pull(dataset, "round_1", client).sample_ids) == 6
