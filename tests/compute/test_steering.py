from __future__ import annotations

from datetime import timedelta

import pytest
from bson import ObjectId

from relabel.compute import operations, steering
from relabel.compute.operations import claim_oldest
from relabel.compute.steering import CANCELLED, NotCancellable, NotRepeatable


def test_cancel__queued_and_running(service, queue):
    queued = queue("cancel")
    steering.cancel(queued)
    assert service.get(queued).run_state == "failed"
    assert claim_oldest(["cancel"], "a") is None
    running = queue("cancel")
    claim = claim_oldest(["cancel"], "a")
    steering.cancel(running)
    assert service.get(running).result.error == CANCELLED
    assert not operations.keep(claim)
    with pytest.raises(NotCancellable):
        steering.cancel(running)
    with pytest.raises(NotCancellable):
        steering.cancel(ObjectId())


def test_cancel__not_while_it_writes(service, queue):
    run = queue("writes")
    claim = claim_oldest(["writes"], "a")
    operations.begin_writing(claim)
    with pytest.raises(NotCancellable, match="writing its outcome"):
        steering.cancel(run)
    assert operations.keep(claim)
    operations.lose(claim, "The power failed.")
    with pytest.raises(NotCancellable, match="writing its outcome"):  # half of it is there
        steering.cancel(run)


def test_repeat__as_it_was_asked_for(service, queue, dataset):
    run = queue("again", name="this", fail=True)
    operations.fail(claim_oldest(["again"], "a"), "Traceback ...")
    again = steering.repeat(run)
    before, after = service.get(run), service.get(again)
    assert after.context.request_params == before.context.request_params
    assert (after.operator, after.delegation_target) == (before.operator, "again")
    assert after.dataset_id == dataset._doc.id
    assert (after.run_state, after.result, after.started_at) == ("queued", None, None)
    claim = claim_oldest(["again"], "b")
    assert (claim.id, claim.attempt) == (again, 1)
    service.delete_operation(again)


def test_repeat__not_before_it_has_taken_back_what_it_made(service, queue):
    run = queue("back")
    claim = claim_oldest(["back"], "a")
    operations.takes_back(claim)
    steering.cancel(run)
    with pytest.raises(NotRepeatable, match="taking back"):
        steering.repeat(run)
    operations.took_back(claim)
    service.delete_operation(steering.repeat(run))


def test_repeat__what_never_said_that_it_has_taken_back(service, queue):
    run = queue("back")
    operations.takes_back(claim_oldest(["back"], "a"))
    steering.cancel(run)
    earlier = operations.utc_now() - timedelta(minutes=2)
    operations.collection().update_one({"_id": run}, {"$set": {"failed_at": earlier}})
    service.delete_operation(steering.repeat(run))


def test_repeat__once(service, queue):
    run = queue("once")
    with pytest.raises(NotRepeatable, match="has failed"):
        steering.repeat(run)
    steering.cancel(run)
    again = steering.repeat(run)
    with pytest.raises(NotRepeatable, match="already"):
        steering.repeat(run)
    steering.cancel(again)
    last = steering.repeat(again)
    assert claim_oldest(["once"], "a").id == last
    for one in (again, last):
        service.delete_operation(one)
    again = steering.repeat(run)  # deleted meanwhile
    service.delete_operation(again)
