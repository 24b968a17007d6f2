from __future__ import annotations

import fiftyone as fo
import pytest

from relabel.annotation import (
    ANNOTATED,
    IN_ANNOTATION,
    REQUIRES_ANNOTATION,
    NothingToUndo,
    Request,
    RoundField,
    field_facts,
    make_plan,
    pull,
    push,
    review_pull,
    undo_pull,
)
from relabel.annotation.dataset.tags import tag_discarded, tag_sent
from relabel.annotation.pulling import pull as pulling
from relabel.cvat import CvatRejected, JobState
from tests.annotation.desk import Desk
from tests.videos import write_video

pytestmark = pytest.mark.cvat


@pytest.fixture
def tagged(dataset):
    """The dataset, of which the first four samples require annotation."""
    dataset.limit(4).tag_samples(REQUIRES_ANNOTATION)
    return dataset


def standing(dataset):
    """The tag of each sample that says where it stands."""
    known = (REQUIRES_ANNOTATION, IN_ANNOTATION, ANNOTATED)
    return [next((t for t in tags if t in known), None) for tags in dataset.values("tags")]


def test_tags__follow_the_round(tagged, client, send):
    record = send(images_per_job=2)
    out, none = [IN_ANNOTATION] * 4, [None] * 2
    assert standing(tagged) == [*out, *none]
    assert tagged.values("tags")[0] == ["even", IN_ANNOTATION]
    desk = Desk(client, record)
    job = desk.jobs()[0]
    desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    report = pull(tagged, "round_1", client)
    assert report.finished == tuple(tagged.values("id")[:2])
    assert report.sample_ids == report.finished[:1]
    assert standing(tagged) == [ANNOTATED, ANNOTATED, IN_ANNOTATION, IN_ANNOTATION, *none]
    undo_pull(tagged, "round_1")
    assert standing(tagged) == [*out, *none], "also of the image of which no label changed"
    pull(tagged, "round_1", client)
    assert standing(tagged)[:2] == [ANNOTATED, ANNOTATED]


def test_undo__of_a_pull_that_changed_nothing_but_tags(tagged, client, send):
    desk = Desk(client, send(images_per_job=2))
    desk.finish(desk.jobs()[0])
    before = tagged.values("tags")
    pull(tagged, "round_1", client)
    assert standing(tagged)[:2] == [ANNOTATED, ANNOTATED]
    desk.finish(desk.jobs()[2])
    pull(tagged, "round_1", client)  # of images without such a tag: there is nothing to undo
    assert undo_pull(tagged, "round_1").sample_ids == ()
    assert tagged.values("tags") == before
    with pytest.raises(NothingToUndo):
        undo_pull(tagged, "round_1")


@pytest.mark.parametrize("images", ["none changed", "some changed"])
def test_tags__of_a_pull_that_a_crash_left_half_done(tagged, client, send, monkeypatch, images):
    desk = Desk(client, send())
    (job,) = desk.jobs()
    if images == "some changed":
        desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    before = tagged.values("tags")
    with monkeypatch.context() as context:
        context.setattr(pulling, "_close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pull(tagged, "round_1", client)
    assert standing(tagged)[:4] == [ANNOTATED] * 4
    assert review_pull(tagged, "round_1", client).jobs
    tagged.reload()
    assert tagged.values("tags") == before
    pull(tagged, "round_1", client)
    assert standing(tagged)[:4] == [ANNOTATED] * 4


def interrupted(*_):
    raise KeyboardInterrupt


def test_tags__a_video_is_done_when_all_its_jobs_are(tmp_path, client, request):
    dataset = fo.Dataset()
    request.addfinalizer(dataset.delete)
    for number in range(2):
        path = write_video(tmp_path / f"film-{number}.mp4", 12, (64, 48))
        sample = fo.Sample(filepath=str(path), tags=[REQUIRES_ANNOTATION])
        box = fo.Detection(label="car", bounding_box=[0.1, 0.1, 0.3, 0.3], index=1)
        sample.frames[1] = fo.Frame(gt=fo.Detections(detections=[box]))
        dataset.add_sample(sample, dynamic=True)
    field = RoundField("frames.gt", field_facts(dataset, "frames.gt").to_schema())
    plan = make_plan(dataset, Request("round_1", (field,), images_per_job=6))
    record = push(dataset, plan, client)
    request.addfinalizer(lambda: [client.delete_task(task.id) for task in record.tasks])
    jobs = client.jobs(task.id for task in record.tasks)
    assert len(jobs) == 4
    done = []
    for job in (jobs[1], jobs[2], jobs[0], jobs[3]):
        client.set_job(job.id, state=JobState.COMPLETED)
        report = pull(dataset, "round_1", client)
        done.append((len(report.finished), standing(dataset).count(ANNOTATED)))
    assert done == [(0, 0), (0, 0), (1, 1), (1, 2)]
    assert report.earlier == (dataset.first().id,), "nobody has followed up any of these pulls"
    undo_pull(dataset, "round_1")
    assert standing(dataset) == [ANNOTATED, IN_ANNOTATION]


def test_undo__leaves_a_tag_of_the_users_own_that_has_the_same_name(dataset, client, send):
    record = send()
    dataset.tag_samples(ANNOTATED)
    dataset.tag_samples("last")
    before = dataset.values("tags")
    desk = Desk(client, record)
    job = desk.jobs()[0]
    desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    pull(dataset, "round_1", client)
    assert undo_pull(dataset, "round_1").sample_ids
    assert dataset.values("tags") == before


def test_undo__puts_the_tag_where_it_was(tagged, client, send):
    record = send()
    tagged.tag_samples("last")
    before = tagged.values("tags")
    assert before[0] == ["even", IN_ANNOTATION, "last"]
    desk = Desk(client, record)
    job = desk.jobs()[0]
    desk.move(job, desk.shapes(job, 0)[0])
    desk.finish(job)
    pull(tagged, "round_1", client)
    assert tagged.values("tags")[0] == ["even", ANNOTATED, "last"]
    undo_pull(tagged, "round_1")
    assert tagged.values("tags")[0] == before[0]


def test_tags__what_is_tagged_is_not_sent_twice(tagged, client, send):
    send(samples=tagged.match_tags(REQUIRES_ANNOTATION))
    assert tagged.match_tags(REQUIRES_ANNOTATION).count() == 0


def test_tags__once_more(tagged, client, send):
    record = send()
    Desk(client, record).finish(*Desk(client, record).jobs())
    pull(tagged, "round_1", client)
    tagged.limit(1).tag_samples(REQUIRES_ANNOTATION)
    send("round_2", samples=tagged.limit(1), include_out=True)
    assert tagged.first().tags == ["even", IN_ANNOTATION]


def test_tags__a_round_that_is_given_up(tagged, client, send):
    with pytest.raises(CvatRejected):
        send(image_quality=1000)
    assert standing(tagged)[:4] == [REQUIRES_ANNOTATION] * 4


def test_tags__other_samples_are_not_touched(tagged, client, send):
    before = tagged.values("last_modified_at")[4:]
    send()
    assert tagged.values("last_modified_at")[4:] == before


def test_tag_sent__again_changes_nothing(tagged):
    for _ in range(2):
        tag_sent(tagged, tagged.values("id"))
    assert tagged.values("tags")[0] == ["even", IN_ANNOTATION]
    tag_sent(tagged, [])


def test_tag_discarded__takes_it_back(tagged):
    tag_sent(tagged, tagged.values("id"))
    tag_discarded(tagged, tagged.values("id"))
    assert standing(tagged) == [REQUIRES_ANNOTATION] * 4 + [None] * 2
