"""Suspicions of a queue, shown to the annotators of a round."""

from __future__ import annotations

import fiftyone as fo
import pytest
from PIL import Image

from relabel.annotation import Request, RoundField, field_facts, make_plan, push
from relabel.evaluation.label_errors.runs import load_label_errors
from relabel.evaluation.label_errors.settling import settle_suspicions
from tests.operators.app import execute, form, problems

pytestmark = pytest.mark.cvat


@pytest.fixture
def queued(world, tmp_path):
    """The world with images to send, and its queue."""
    for number, sample in enumerate(world):
        sample.filepath = str(tmp_path / f"{number}.png")
        Image.new("RGB", (64, 48)).save(sample.filepath)
        sample.metadata = fo.ImageMetadata(width=64, height=48)
        sample.save()
    execute("find_label_errors", world)
    world.reload()
    return world


@pytest.fixture
def task(queued, server):
    schema = field_facts(queued, "ground_truth").to_schema()
    view = load_label_errors(queued).view(queued)
    request = Request("fix_1", (RoundField("ground_truth", schema),))
    task = push(queued, make_plan(view, request), server).tasks[0]
    yield task
    server.delete_task(task.id)


def test_execute__annotators_see_the_suspicions(queued, server, task):
    assert problems(form("show_suspects", queued)) == []
    count = len(load_label_errors(queued).errors)
    done = execute("show_suspects", queued, {"key": "fix_1"}).result
    assert (done["added"], done["present"]) == (count, 0)
    texts = {issue.comments[0].text for issue in server.issues(task.jobs)}
    assert all(text.startswith("Relabel: ") and text.endswith("%)") for text in texts)
    again = execute("show_suspects", queued, {"key": "fix_1"}).result
    assert (again["added"], again["present"]) == (0, count)


def test_send_to_cvat__shows_them_if_asked_to(queued, server):
    fields = form("send_to_cvat", queued)
    assert "label_errors" in fields["show_suspects"]["view"]["label"]
    params = {"what": "dataset", "key": "fix_2", "show_suspects": True}
    sent = execute("send_to_cvat", queued, params).result
    count = len(load_label_errors(queued).errors)
    assert sent["suspects"].startswith(f"{count} suspicions")
    server.delete_task(sent["tasks"][0]["id"])


@pytest.mark.parametrize(
    ("params", "queue", "shown"),
    [
        ({"what": "dataset"}, "second", False),
        ({"what": "tagged"}, "second", True),
        ({"what": "tagged", "tag": "night"}, "second", False),
        ({"what": "saved_view", "saved_view": "label_errors"}, "label_errors", True),
        ({"what": "saved_view", "saved_view": "second"}, "second", True),
        ({"what": "saved_view", "saved_view": "mine"}, "second", False),
    ],
)
def test_send_to_cvat__shows_what_is_sent_because_of_it(queued, server, params, queue, shown):
    execute("find_label_errors", queued, {"key": "second"})
    queued.save_view("mine", queued[:5])
    asked = form("send_to_cvat", queued, params)["show_suspects"]
    assert asked["view"]["label"] == f"Show annotators what the queue {queue} suspects"
    assert asked["default"] is shown


def test_send_to_cvat__shows_nothing_of_labels_that_are_not_sent(queued, server):
    queued.clone_sample_field("ground_truth", "second_opinion")
    params = {"what": "tagged", "label_field": "second_opinion"}
    assert "show_suspects" not in form("send_to_cvat", queued, params)
    along = {**params, "more": True, "more_fields": ["ground_truth"]}
    assert form("send_to_cvat", queued, along)["show_suspects"]["default"] is True
    unnamed = form("send_to_cvat", queued, {"what": "tagged", "label_field": "(new field)"})
    assert "show_suspects" not in unnamed
    assert "more" in unnamed


def test_send_to_cvat__shows_what_no_round_has_settled(queued, server):
    errors = load_label_errors(queued).errors
    seen = errors[0].sample_id
    settle_suspicions(queued, [seen], round_key="before")
    params = {"what": "saved_view", "saved_view": "label_errors", "key": "fix_3"}
    sent = execute("send_to_cvat", queued, params).result
    count = sum(error.sample_id != seen for error in errors)
    assert 0 < count < len(errors)
    assert sent["suspects"] == f"{count} suspicions are shown to annotators."
    server.delete_task(sent["tasks"][0]["id"])


def test_marks__are_not_for_annotators(queued, server, task):
    names = {attribute.name for attribute in field_facts(queued, "ground_truth").attributes}
    assert names == {"iscrowd"}
    assert {a.name for label in task.labels for a in label.attributes} & {"label_error"} == set()


def test_resolve_input__without_a_queue(dataset, server):
    found = problems(form("show_suspects", dataset))
    assert any("Find label errors first" in problem for problem in found)
