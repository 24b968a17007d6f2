from __future__ import annotations

import pytest
from fiftyone.operators.executor import ExecutionError

from .app import delegate, execute, form, problems, requests_of

NAME = "find_false_positives"


@pytest.fixture
def evaluated(predicted):
    execute("evaluate_detections", predicted)
    predicted.reload()
    return predicted


def test_execute__shows_the_worst_first(evaluated):
    ids = evaluated.values("id")
    done = execute(NAME, evaluated)
    assert done.result["sample_ids"] == [ids[2], ids[0]]
    assert (done.result["labels"], done.result["samples"], done.result["tag"]) == (2, 2, None)
    assert requests_of(done) == ["set_view"]
    assert evaluated.count_sample_tags().get("requires_annotation") is None


def test_execute__tags_what_it_finds(evaluated):
    done = execute(NAME, evaluated, {"tag_samples": True, "confidence": 0.9})
    assert done.result["samples"] == 1
    tagged = evaluated.match_tags("requires_annotation").values("id")
    assert tagged == done.result["sample_ids"]


def test_execute__none_found(evaluated):
    done = execute(NAME, evaluated, {"confidence": 1.0, "tag_samples": True})
    assert (done.result["samples"], done.result["sample_ids"]) == (0, [])


def test_execute__an_emptied_confidence_leaves_none_out(evaluated):
    assert execute(NAME, evaluated, {"confidence": None}).result["labels"] == 2


def test_execute__delegated(evaluated):
    run = delegate(NAME, evaluated, {"tag_samples": True, "tag": "look"})
    assert run.run_state == "completed"
    assert run.result.result["samples"] == 2
    assert evaluated.count_sample_tags()["look"] == 2


def test_bad_input__unknown_evaluation(evaluated):
    assert problems(form(NAME, evaluated)) == []
    found = problems(form(NAME, evaluated, {"eval_key": "nonsense"}))
    assert "Choose one of: eval" in found[0]
    with pytest.raises(ExecutionError, match="nonsense"):
        execute(NAME, evaluated, {"eval_key": "nonsense"})


def test_bad_input__not_evaluated_yet(dataset):
    [found] = problems(form(NAME, dataset))
    assert "Evaluate detections first" in found
    with pytest.raises(ExecutionError, match="Evaluate detections first"):
        execute(NAME, dataset)
