from __future__ import annotations

import pytest

from relabel.compute import operations, steering
from relabel.compute.operations import claim_oldest
from relabel.compute.overview import Stage, cause_of, elsewhere, line, operations_of


def _stages(dataset):
    return [(one.id, one.stage) for one in operations_of(dataset._doc.id)]


def test_operations_of__unfinished_first(queue, dataset):
    done, runs, failed, waits, cancelled = (queue("list") for _ in range(5))
    operations.complete(claim_oldest(["list"], "a"), _result())
    claim_oldest(["list"], "a@host:1")
    operations.fail(claim_oldest(["list"], "a"), "Traceback\n  x\nValueError: no luck")
    steering.cancel(cancelled)
    assert _stages(dataset) == [
        (runs, Stage.RUNNING),
        (waits, Stage.QUEUED),
        (cancelled, Stage.CANCELLED),
        (failed, Stage.FAILED),
        (done, Stage.COMPLETED),
    ]
    shown = {one.id: one for one in operations_of(dataset._doc.id)}
    assert (shown[runs].executor, shown[runs].attempt) == ("a@host:1", 1)
    assert (shown[waits].executor, shown[waits].attempt) == (None, 0)
    assert shown[failed].cause == "ValueError: no luck"
    assert shown[failed].error.startswith("Traceback")
    assert shown[cancelled].cause == ""
    assert shown[done].ended_at >= shown[done].started_at >= shown[done].queued_at


def test_operations_of__logs_where_asked_for(queue, dataset):
    run = queue("log")
    operations.keep(claim_oldest(["log"], "a"), "first\nlast")
    [without] = operations_of(dataset._doc.id)
    [with_log] = operations_of(dataset._doc.id, opened=[run])
    assert (without.log_tail, with_log.log_tail) == ("", "first\nlast")


def test_operations_of__not_those_of_other_datasets(queue, dataset):
    import fiftyone as fo

    queue("other")
    claim_oldest(["other"], "a")
    queue("other")
    nobodys = fo.Dataset()
    assert operations_of(nobodys._doc.id) == []
    there = elsewhere(nobodys._doc.id)
    assert there.running >= 1
    assert there.queued >= 1
    nobodys.delete()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("", ""),
        ("Traceback (most recent call last):\n  a\nValueError: x", "ValueError: x"),
        ("a\nplugin.relabel.compute.errors.ModelNotFound: None there. Look.", "None there. Look."),
        (
            "Its process was killed.\nIt was tried 2 times.",
            "Its process was killed. It was tried 2 times.",
        ),
    ],
)
def test_cause_of__last_line(error, cause):
    assert cause_of(error) == cause


def _result():
    from fiftyone.operators.executor import ExecutionResult

    return ExecutionResult(result={})


def test_operations_of__what_it_was_asked_with_but_no_options(queue, dataset):
    """Those of other programs may hold their keys."""
    options = {"api_key": "secret"}
    run = queue(
        "asked",
        name="this",
        names=["a", "b"],
        none=None,
        options=options,
        more=[options],
        run_on="asked",
    )
    [shown] = operations_of(dataset._doc.id, opened=[run])
    assert shown.asked == (("name", "this"), ("names", "a, b"))
    [closed] = operations_of(dataset._doc.id)
    assert closed.asked == ()


def test_operations_of__no_secrets_of_what_it_was_asked_with(queue, dataset):
    names = ("api_key", "secretKey", "hub_token", "Password", "credentials")
    run = queue("asked", brain_key="index", **dict.fromkeys(names, "secret"))
    [shown] = operations_of(dataset._doc.id, opened=[run])
    assert shown.asked == (("brain_key", "index"),)


def test_operations_of__what_waits_again_has_no_executor(queue, dataset):
    queue("again")
    operations.lose(claim_oldest(["again"], "a@host:1"), "It was lost.")
    [shown] = operations_of(dataset._doc.id)
    assert (shown.stage, shown.executor) == (Stage.QUEUED, None)


def test_operations_of__what_takes_back_what_it_made(queue, dataset):
    run = queue("back")
    claim = claim_oldest(["back"], "a")
    operations.takes_back(claim)

    def shown():
        [found] = operations_of(dataset._doc.id)
        return found.stage, found.takes_back

    assert shown() == (Stage.RUNNING, False)
    steering.cancel(run)
    assert shown() == (Stage.CANCELLED, True)
    operations.took_back(claim)
    assert shown() == (Stage.CANCELLED, False)


def test_line__oldest_first_also_what_was_handed_back(queue):
    first, second, third = queue("line"), queue(), queue("line")
    claim = claim_oldest(["line"], "a")
    assert first not in dict(line())
    operations.hand_back(claim)
    waiting = [one for one in line() if one[0] in (first, second, third)]
    assert waiting == [(first, "line"), (second, None), (third, "line")]
