from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from fiftyone.operators.executor import ExecutionResult

from relabel.compute import operations, steering
from relabel.compute.operations import Claim, claim_oldest


def test_claim_oldest__by_target_in_order(service, queue):
    first, other, second, untargeted = queue("gpu"), queue("cpu"), queue("gpu"), queue(None)
    assert claim_oldest(["gpu", "x"], "a").id == first
    assert claim_oldest(["cpu"], "a").id == other
    assert claim_oldest(["tpu", None], "a").id == untargeted
    assert claim_oldest(["gpu", "cpu"], "b").id == second
    assert claim_oldest(["gpu", "cpu", None], "b") is None
    assert service.get(second).run_link == "relabel:b"
    assert service.get(second).run_state == "running"


def test_claim_oldest__many_ask_at_once(queue):
    queued = {queue("race") for _ in range(20)}
    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(lambda n: claim_oldest(["race"], f"e{n}"), range(40)))
    taken = [claim.id for claim in claims if claim]
    assert len(taken) == 20
    assert set(taken) == queued


def test_hand_back__keeps_its_place_and_is_no_attempt(service, queue):
    first, second = queue("place"), queue("place")
    claim = claim_oldest(["place"], "a")
    assert operations.hand_back(claim)
    again = claim_oldest(["place"], "b")
    assert (again.id, again.attempt) == (first, 1)
    assert claim_oldest(["place"], "b").id == second
    assert not operations.hand_back(claim)  # it is b's now
    assert service.get(first).run_state == "running"


def test_lose__once_more_elsewhere_then_failed(service, queue):
    run = queue("lose")
    assert operations.lose(claim_oldest(["lose"], "a"), "The power failed.")
    assert service.get(run).run_state == "queued"
    assert "The power failed." in service.get(run).status.label
    assert claim_oldest(["lose"], "a", shared=["lose"]) is None
    second = claim_oldest(["lose"], "b", shared=["lose"])
    assert second.attempt == 2
    assert operations.lose(second, "The power failed again.") is False
    ended = service.get(run)
    assert ended.run_state == "failed"
    assert "The power failed again.\nIt was tried 2 times." in ended.result.error


def test_claim_oldest__again_what_no_other_takes(queue):
    lost, untargeted = queue("lost"), queue(None)
    for claim in [claim_oldest(["lost", None], "a") for _ in (lost, untargeted)]:
        operations.lose(claim, "Its process was killed.")
    assert claim_oldest(["lost", None], "a", shared=[None]).id == lost
    assert claim_oldest(["lost", None], "a", shared=[None]) is None
    assert claim_oldest(["lost", None], "a").id == untargeted


def test_complete__not_by_one_that_was_taken_for_lost(service, queue):
    run = queue("late")
    late = claim_oldest(["late"], "late")
    operations.lose(late, "Silent.")
    claim = claim_oldest(["late"], "other")
    assert not operations.keep(late)
    assert not operations.complete(late, ExecutionResult(result={"by": "late"}))
    assert not operations.fail(late, "too late")
    assert operations.complete(claim, ExecutionResult(result={"by": "other"}))
    ended = service.get(run)
    assert (ended.run_state, ended.result.result) == ("completed", {"by": "other"})
    assert ended.completed_at is not None


def test_claims__of_one_executor_are_told_apart(queue):
    queue("twice")
    first = claim_oldest(["twice"], "a")
    operations.lose(first, "Its process was killed.")
    second = claim_oldest(["twice"], "a")
    assert not operations.keep(first)
    assert operations.keep(second, "a line")


def test_keep__shows_the_log(service, queue):
    run = queue("log")
    claim = claim_oldest(["log"], "a")
    before = service.get(run).updated_at
    assert operations.keep(claim, "first\nlast")
    assert service.get(run).log_tail == "first\nlast"
    assert service.get(run).updated_at >= before


def test_claim__told_to_another_process(queue):
    queue("told")
    claim = claim_oldest(["told"], "a")
    assert Claim.from_json(json.loads(json.dumps(claim.to_json()))) == claim


def test_is_taking_back__once_it_is_cancelled(queue):
    run = queue("back")
    claim = claim_oldest(["back"], "a")
    operations.takes_back(claim)
    assert not operations.is_taking_back(claim)
    steering.cancel(run)
    assert operations.is_taking_back(claim)


def test_is_taking_back__not_what_was_lost_for_good(service, queue):
    run = queue("back")
    operations.lose(claim_oldest(["back"], "a"), "Silent.")
    claim = claim_oldest(["back"], "a")
    operations.takes_back(claim)
    operations.lose(claim, "Silent.")
    assert service.get(run).run_state == "failed"
    assert not operations.is_taking_back(claim)


def test_is_taking_back__not_as_it_was_handed_back(queue):
    run = queue("back")
    claim = claim_oldest(["back"], "a")
    operations.takes_back(claim)
    operations.hand_back(claim)
    claim = claim_oldest(["back"], "a")
    steering.cancel(run)
    assert not operations.is_taking_back(claim)


def test_begin_writing__only_while_the_claim_holds(queue):
    queue("writes")
    claim = claim_oldest(["writes"], "a")
    assert operations.holds(claim)
    assert operations.begin_writing(claim)
    operations.lose(claim, "Silent.")
    assert not operations.holds(claim)
    assert not operations.begin_writing(claim)
