"""What could not be evaluated again after a pull is said, and tried again."""

from __future__ import annotations

import fiftyone.core.odm as foo
import pytest

from relabel import loop
from relabel.annotation import (
    load_round,
    note_unfollowed,
    pull,
)
from relabel.annotation.record.rounds import forget_orphans
from relabel.loop import (
    after_pull,
    describe_unmeasured,
    try_again,
    unmeasured,
)


def test_after_pull__a_set_that_cannot_be_evaluated_any_more(evaluated, client, jobs, caplog):
    evaluated.rename_sample_field("predictions", "old")
    report = pull(evaluated, "r", client)
    assert report.sample_ids == (evaluated.first().id,)
    assert after_pull(evaluated, report) == []
    assert "could not be evaluated again" in caplog.text
    (missing,) = unmeasured(evaluated)
    assert (missing.rounds, missing.eval_key) == (("r",), "eval")
    (said,) = describe_unmeasured(evaluated, "r")
    assert said.startswith(
        "'eval' could not be evaluated again after r: 'predictions' is no field of the dataset. "
        "Put that right and try again"
    )
    assert describe_unmeasured(evaluated, "other") == []
    evaluated.rename_sample_field("old", "predictions")
    (entry,) = try_again(evaluated, never)
    assert entry.before.map < entry.after.map == pytest.approx(1)
    assert (entry.cost.labels, entry.cost.minutes) == (1, pytest.approx(66 / 60 / 3))
    assert unmeasured(evaluated) == []


def test_try_again__when_the_round_was_deleted_meanwhile(evaluated, client, jobs):
    evaluated.rename_sample_field("predictions", "old")
    after_pull(evaluated, pull(evaluated, "r", client))
    evaluated.delete_annotation_run("r")
    forget_orphans()
    (missing,) = unmeasured(evaluated)
    assert (missing.rounds, missing.eval_key) == (("r",), "eval")
    evaluated.rename_sample_field("old", "predictions")
    (entry,) = try_again(evaluated, never)
    assert (entry.round_key, entry.cost.labels, entry.after.map) == ("r", 1, pytest.approx(1))


def test_after_pull__tries_again_what_failed_after_the_one_before(evaluated, client, jobs):
    evaluated.rename_sample_field("predictions", "old")
    after_pull(evaluated, pull(evaluated, "r", client))
    evaluated.rename_sample_field("old", "predictions")
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert (entry.cost.labels, entry.after.map) == (1, pytest.approx(1))


def never():
    raise AssertionError("the server has nothing to say to this")


def test_unmeasured__not_while_a_process_is_at_it(evaluated, client, jobs, monkeypatch):
    found = []

    def look(dataset, occasion):
        found.append(unmeasured(dataset))
        return []

    report = pull(evaluated, "r", client)
    assert unmeasured(evaluated) == []
    monkeypatch.setattr(loop, "evaluate_again", look)
    after_pull(evaluated, report)
    assert found == [[]]


def test_try_again__of_a_pull_whose_process_died_before_it_was_followed(evaluated, client, jobs):
    pull(evaluated, "r", client)
    rounds = foo.get_db_conn()["relabel_rounds"]
    record = load_round(evaluated, "r")
    rounds.update_one({"_id": record.id}, {"$set": {"followed_by.started": 0}})
    (missing,) = unmeasured(evaluated)
    assert (missing.rounds, missing.eval_key) == (("r",), None)
    assert missing.message.startswith("What r brought back was not evaluated again: The process")
    assert try_again(evaluated, never, "other") == []
    (entry,) = try_again(evaluated, lambda: client, "r")
    assert (entry.cost.labels, entry.cost.minutes) == (1, pytest.approx(66 / 60 / 3))
    assert unmeasured(evaluated) == []
    assert try_again(evaluated, never) == []


def test_unmeasured__nothing_was_ever_evaluated(evaluated, client, jobs):
    evaluated.delete_evaluation("eval")
    pull(evaluated, "r", client)
    note_unfollowed(load_round(evaluated, "r").id, "")
    assert unmeasured(evaluated) == []
