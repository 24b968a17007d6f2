"""What another attempt of an operation makes of what the first had written when it died."""

from __future__ import annotations

import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError
from pymongo.errors import ServerSelectionTimeoutError

from relabel.annotation import list_rounds
from relabel.compute import operations, worker
from relabel.compute.steering import NotCancellable, cancel, repeat

from .app import execute, module_of_plugin

VECTORS = {"embeddings": "descriptor", "count": 2}


class Died(BaseException):
    """No operator survives it, as none survives a SIGKILL."""


@pytest.fixture
def die_before_the_view_is_saved(monkeypatch):
    """The oldest operation begins; its selection is recorded and tagged, and no more."""
    theirs = module_of_plugin("relabel.curation.selecting.selection_runs")

    def die(*_, **__):
        raise Died

    def begin():
        claim = operations.claim_oldest(["attempts"], "first")
        with monkeypatch.context() as patched:
            patched.setattr(theirs.fo.Dataset, "save_view", die)
            # A process that is killed takes nothing back.
            patched.setattr(theirs, "discard_selection", die)
            with pytest.raises(Died):
                worker.run(claim)
        return claim

    return begin


@pytest.fixture
def queue(dataset):
    """Queues an operation; returns its id."""
    runs = []

    def queue_one(name, params):
        found = execute(
            name, dataset, params, request_delegation=True, delegation_target="attempts"
        )
        runs.append(ObjectId(found.result["id"]))
        return runs[-1]

    yield queue_one
    for run in runs:
        DelegatedOperationService().delete_operation(run)


def _ended(run):
    return DelegatedOperationService().get(run)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("select_unique", {**VECTORS, "name": "mine"}),
        ("select_unique", VECTORS),  # by a script, which gives no name
        ("find_duplicates", {"by": "vectors", "distance": 2, "name": "mine"}),
    ],
)
def test_next_attempt__replaces_what_the_first_left(
    dataset, queue, die_before_the_view_is_saved, name, params
):
    run = queue(name, params)
    operations.lose(die_before_the_view_is_saved(), "It died.")
    dataset.reload()
    [left] = dataset.list_runs()
    assert dataset.list_saved_views() == []
    worker.run(operations.claim_oldest(["attempts"], "second"))
    assert _ended(run).run_state == "completed"
    dataset.reload()
    assert dataset.list_runs() == dataset.list_saved_views() == [left]
    assert set(dataset.load_saved_view(left).values("id")) >= set(
        dataset.match_tags(["unique", "duplicate"]).values("id")
    )


def test_run_again__replaces_what_it_left(dataset, queue, die_before_the_view_is_saved):
    run = queue("select_unique", {**VECTORS, "name": "mine"})
    operations.fail(die_before_the_view_is_saved(), "It died twice.")
    again = repeat(run)
    worker.run(operations.claim_oldest(["attempts"], "second"))
    assert _ended(again).run_state == "completed"
    dataset.reload()
    assert dataset.list_saved_views() == ["mine"]
    DelegatedOperationService().delete_operation(again)


@pytest.mark.parametrize("asked", ["holds", "takes_back", "begin_writing"])
def test_attempt__goes_on_when_the_database_is_back(dataset, queue, monkeypatch, asked):
    """As after a pause that was longer than a driver waits for it."""
    theirs = module_of_plugin("relabel.compute.operations")
    ask, errors = getattr(theirs, asked), [ServerSelectionTimeoutError("away")]

    def ask_again(claim):
        if errors:
            raise errors.pop()
        return ask(claim)

    run = queue("compute_similarity", {"embeddings": "descriptor"})
    monkeypatch.setattr(theirs, asked, ask_again)
    worker.run(operations.claim_oldest(["attempts"], "first"))
    assert (errors, _ended(run).run_state) == ([], "completed")


SENT = {"what": "dataset", "key": "r", "label_field": "ground_truth"}


def _sending():
    return module_of_plugin("relabel.annotation.sending.sending")


def _forgets_plans():
    module_of_plugin("operators.annotation.send_request")._plan.cache.clear()


def _is_away(*_):
    raise module_of_plugin("relabel.cvat").CvatUnreachable("It is away.", "Try again.")


def _tasks_of_that_name(server):
    """All in CVAT: what a test before this one has left too."""
    return {task["id"] for task in server._transport.pages("/api/tasks", name=SENT["key"])}


@pytest.fixture
def tasks(dataset, server):
    """The tasks of the round in CVAT; they go at the end."""

    def tasks():
        dataset.reload()
        return [task.id for record in list_rounds(dataset) for task in record.tasks]

    yield tasks
    for task in tasks():
        server.delete_task(task)


@pytest.mark.parametrize("name", ["send_to_cvat", "resume_round"])
def test_next_attempt__of_a_round_that_is_out_already(dataset, queue, tasks, monkeypatch, name):
    """The first died when all was done, before it could say so."""
    if name == "resume_round":
        with monkeypatch.context() as patched:
            patched.setattr(_sending().Sending, "_wait", _is_away)
            with pytest.raises(ExecutionError, match="same name"):
                execute("send_to_cvat", dataset, SENT)
    run = queue(name, SENT)
    claim = operations.claim_oldest(["attempts"], "first")
    with monkeypatch.context() as patched:
        patched.setattr(operations, "complete", lambda *_: False)
        worker.run(claim)
    assert operations.lose(claim, "It died.")
    before = tasks()
    _forgets_plans()  # as another process has none
    worker.run(operations.claim_oldest(["attempts"], "second"))
    ended = _ended(run)
    assert ended.run_state == "completed", ended.result.error
    assert (tasks(), len(before)) == (before, 1)
    assert ended.result.result["images"] == 6
    with pytest.raises(ExecutionError, match="There is a round named"):
        execute("send_to_cvat", dataset, {**SENT, "include_out": True})


def test_send__cannot_be_cancelled_once_it_is_noted_as_out(dataset, queue, tasks, monkeypatch):
    run, refused = queue("send_to_cvat", SENT), []
    save = _sending().save_results

    def cancels(*given):
        with pytest.raises(NotCancellable):
            cancel(run)
        refused.append(True)
        save(*given)

    monkeypatch.setattr(_sending(), "save_results", cancels)
    worker.run(operations.claim_oldest(["attempts"], "first"))
    assert (_ended(run).run_state, refused) == ("completed", [True])


def test_send__cancelled_right_before_leaves_nothing(dataset, queue, tasks, server, monkeypatch):
    run = queue("send_to_cvat", SENT)
    finish = _sending().Sending._finish
    others = _tasks_of_that_name(server)

    def cancels(*given):
        cancel(run)
        return finish(*given)

    monkeypatch.setattr(_sending().Sending, "_finish", cancels)
    worker.run(operations.claim_oldest(["attempts"], "first"))
    assert (_ended(run).run_state, tasks()) == ("failed", [])
    assert _tasks_of_that_name(server) == others


def test_next_attempt__replaces_nothing_of_others(dataset, queue):
    """A selection of the same name that was made meanwhile stays."""
    run = queue("select_unique", {**VECTORS, "name": "mine"})
    made = execute("select_unique", dataset, {**VECTORS, "name": "mine", "count": 1})
    with pytest.raises(ExecutionError, match="There is a selection 'mine'"):
        execute("select_unique", dataset, {**VECTORS, "name": "mine"})
    worker.run(operations.claim_oldest(["attempts"], "first"))
    assert _ended(run).run_state == "failed"
    assert "There is a selection 'mine'" in _ended(run).result.error
    dataset.reload()
    assert dataset.load_saved_view("mine").values("id") == made.result["sample_ids"]
