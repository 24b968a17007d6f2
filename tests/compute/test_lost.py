from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from relabel.compute import operations
from relabel.compute.executors import Announcement
from relabel.compute.lost import LostRuns
from relabel.compute.operations import claim_oldest

from .conftest import wait_for


def test_pass_on__of_a_silent_executor(service, queue):
    run = queue("silent")
    with Announcement("silent") as announcement:
        claim = claim_oldest(["silent"], announcement.id)
    watch = LostRuns("another", silent_seconds=0.5)
    assert watch.pass_on() == []
    assert wait_for(watch.pass_on, "The loss") == [run]
    assert service.get(run).run_state == "queued"
    assert claim.executor in service.get(run).status.label


def test_pass_on__leaves_the_living_alone(service, queue):
    queue("living")
    with Announcement("living") as announcement:
        claim = claim_oldest(["living"], announcement.id)
        watch = LostRuns("another", silent_seconds=0.0)
        watch.pass_on()
        announcement.beat()
        watch = LostRuns("another", silent_seconds=60)
        assert watch.pass_on() == []
        own = LostRuns(announcement.id)
        assert own.pass_on(claim) == []


def test_pass_on__not_what_shows_a_sign_of_life_itself(service, queue):
    """Its executor's heart may have stopped: what it runs is worked on."""
    run = queue("works")
    claim = claim_oldest(["works"], "works@host:1")
    watch = LostRuns("another", silent_seconds=0.3)
    watch.pass_on()
    [seen] = [one for one in operations.running() if one.claim == claim]
    wait_for(lambda: watch._silent(seen, None), "The silence")
    operations.keep(claim)
    assert watch.pass_on() == []
    assert operations.lose(claim, "Silent.", seen.seen) is None  # it was looked at before
    assert operations.holds(claim)
    assert wait_for(watch.pass_on, "The loss") == [run]


def test_pass_on__hands_back_what_it_claimed_unawares(service, queue):
    run = queue("unawares")
    claim_oldest(["unawares"], "me")
    assert LostRuns("me").pass_on() == [run]
    assert claim_oldest(["unawares"], "other").attempt == 1


def test_pass_on__silence_without_a_database_does_not_count(queue):
    queue("away")
    claim_oldest(["away"], "gone")
    watch = LostRuns("me", silent_seconds=0.2)
    watch.pass_on()
    [run] = [run for run in operations.running() if run.claim.executor == "gone"]
    wait_for(lambda: watch._silent(run, None), "The silence")
    watch.forget()
    assert watch.pass_on() == []
    wait_for(watch.pass_on, "The loss")


@pytest.mark.parametrize(("minutes", "lost"), [(1, False), (60, True)])
def test_pass_on__of_other_programs_by_their_last_sign(service, queue, minutes, lost):
    run = queue("foreign")
    service.set_running(run, run_link="stock", monitored=True)
    seen = datetime.now(UTC) - timedelta(minutes=minutes)
    service._repo._collection.update_one({"_id": run}, {"$set": {"updated_at": seen}})
    assert (run in LostRuns("me").pass_on()) is lost
    assert service.get(run).run_state == ("failed" if lost else "running")
