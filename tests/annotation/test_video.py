"""Videos travel exactly: labels of frames, objects over time, jobs that share frames, steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import fiftyone as fo
import pytest

from relabel.annotation import ConflictPolicy, UnreadableMedia, pull, review_pull, undo_pull
from relabel.annotation.comparing.choice import Choice
from relabel.cvat import Annotations, JobState, Shape, Track
from tests.videos import write_video

pytestmark = pytest.mark.cvat

FIELD = "frames.gt"
FRAMES = 30
SIZE = (64, 48)
ANY = Choice(finished=False) if "finished" in Choice.__dataclass_fields__ else Choice()


def _car(frame, index=1, **more):
    box = [0.01 * frame, 0.1, 0.3, 0.37]
    return fo.Detection(label="car", bounding_box=box, index=index, pose="a", **more)


@pytest.fixture
def dataset(tmp_path):
    """A video: an object with a gap, one with frames that are no keyframes, one without index."""
    sample = fo.Sample(filepath=str(write_video(tmp_path / "film.mp4", FRAMES, SIZE)))
    for frame in range(1, FRAMES + 1):
        labels = []
        if not 12 <= frame <= 15:
            labels.append(_car(frame))
        if frame > 5:
            still = fo.Detection(
                label="bus", bounding_box=[0.5, 0.5, 0.25, 0.25], index=1, keyframe=frame % 10 == 6
            )
            labels.append(still)
        if frame % 7 == 0:
            labels.append(fo.Detection(label="car", bounding_box=[0.7, 0.1, 1 / 3, 0.1]))
        if labels:
            sample.frames[frame] = fo.Frame(gt=fo.Detections(detections=labels))
    dataset = fo.Dataset()
    dataset.add_sample(sample, dynamic=True)
    yield dataset
    dataset.delete()


def documents(dataset):
    """All documents of frames as they are stored."""
    return sorted(dataset._frame_collection.find({}), key=lambda item: item["frame_number"])


def labels(dataset):
    """Frame number -> the labels there."""
    return {
        item["frame_number"]: item["gt"]["detections"] for item in documents(dataset) if item["gt"]
    }


@dataclass
class Annotator:
    """Edits the tracks of one job, as CVAT's editor does."""

    client: object
    job: object

    def edit(self, change):
        found = self.client.job_annotations(self.job.id)
        tracks = [change(track) for track in found.tracks]
        self.client.put_job_annotations(
            self.job.id,
            Annotations(
                tuple(replace(shape, id=None) for shape in found.shapes),
                tuple(without_ids(track) for track in tracks if track is not None),
            ),
        )

    def add(self, track):
        found = self.client.job_annotations(self.job.id)
        shapes = tuple(replace(shape, id=None) for shape in found.shapes)
        tracks = (*map(without_ids, found.tracks), track)
        self.client.put_job_annotations(self.job.id, Annotations(shapes, tracks))

    def finish(self):
        self.client.set_job(self.job.id, state=JobState.COMPLETED)


def without_ids(track):
    return replace(track, id=None, shapes=tuple(replace(shape, id=None) for shape in track.shapes))


@pytest.fixture
def jobs(client):
    """The jobs of a round, which are completed at once."""

    def jobs(record):
        found = client.jobs(task.id for task in record.tasks)
        for job in found:
            client.set_job(job.id, state=JobState.COMPLETED)
        return [Annotator(client, job) for job in found]

    return jobs


def label_named(client, record, name):
    return next(item for item in client.task_labels(record.tasks[0].id) if item.name == name).id


CUTS = [
    {},
    {"images_per_job": 8, "overlap": 3},
    {"images_per_job": 7},
    {"images_per_job": 4, "overlap": 2, "start_frame": 3, "stop_frame": 28, "frame_step": 2},
]


@pytest.mark.parametrize("cut", CUTS)
def test_unedited__comes_back_to_the_last_bit(dataset, client, send, jobs, cut):
    before = documents(dataset)
    record = send(field=FIELD, **cut)
    jobs(record)
    review = review_pull(dataset, record.key, client)
    assert review.counts == {}
    assert review.remarks == ()
    report = pull(dataset, record.key, client)
    assert report.sample_ids == ()
    assert documents(dataset) == before


def test_tracks__hold_what_has_an_index_and_shapes_the_rest(dataset, client, send):
    record = send(field=FIELD)
    found = client.task_annotations(record.tasks[0].id)
    assert len(found.tracks) == 2
    assert len(found.shapes) == FRAMES // 7
    bus = min(found.tracks, key=lambda track: len(track.shapes))
    assert [shape.frame for shape in bus.shapes] == [5, 15, 25, 29]


def test_moved__in_one_job_only_there_and_undone(dataset, client, send, jobs):
    before = documents(dataset)
    record = send(field=FIELD, images_per_job=8, overlap=2)
    second = jobs(record)[1]
    bus = label_named(client, record, "bus")
    frame = second.job.start_frame + 4

    def move(track):
        if track.label_id != bus:
            return track
        key = replace(track.shapes[0], frame=frame, points=(1.0, 2.0, 33.0, 44.0))
        shapes = sorted((*track.shapes, key), key=lambda shape: shape.frame)
        return replace(track, shapes=tuple(shapes))

    second.edit(move)
    report = pull(dataset, record.key, client)
    assert report.problems == ()
    after = labels(dataset)
    moved = [
        number
        for number, (old, new) in enumerate(zip(before, documents(dataset), strict=True), 1)
        if old != new
    ]
    first, last = second.job.start_frame + 1, second.job.stop_frame + 1
    # CVAT draws a line from the last keyframe to the new one, and from there to the next.
    assert frame + 1 in moved
    assert set(moved) <= set(range(first + 2, last))
    (label,) = [item for item in after[frame + 1] if item["label"] == "bus"]
    assert label["bounding_box"] == pytest.approx([1 / 64, 2 / 48, 0.5, 42 / 48])
    assert label["keyframe"] is True
    assert label["_id"] in [item["_id"] for item in before[frame]["gt"]["detections"]]
    assert documents(dataset)[frame]["last_modified_at"] > before[frame]["last_modified_at"]
    undo_pull(dataset)
    for old, new in zip(before, documents(dataset), strict=True):
        assert {**new, "last_modified_at": 0} == {**old, "last_modified_at": 0}


def test_new_track__gets_an_index_of_its_own_and_frames_their_documents(
    dataset, client, send, jobs
):
    dataset._frame_collection.delete_many({"frame_number": {"$in": [2, 3]}})
    dataset.reload()
    record = send(field=FIELD, images_per_job=10)
    first = jobs(record)[0]
    car = label_named(client, record, "car")
    shapes = (
        Shape("rectangle", 1, car, (0, 0, 8, 8)),
        Shape("rectangle", 3, car, (4, 4, 12, 12)),
        Shape("rectangle", 4, car, (4, 4, 12, 12), outside=True),
    )
    first.add(Track(car, shapes))
    pull(dataset, record.key, client)
    after = labels(dataset)
    new = {number: after[number][-1] for number in (2, 3, 4)}
    assert {item["index"] for item in new.values()} == {2}
    assert [item["keyframe"] for item in new.values()] == [True, False, True]
    assert new[3]["bounding_box"] == pytest.approx([2 / 64, 2 / 48, 8 / 64, 8 / 48])
    assert len(after[5]) == 1
    frame = next(item for item in documents(dataset) if item["frame_number"] == 2)
    assert frame.keys() == documents(dataset)[4].keys()
    assert dataset.first().frames[2].gt.detections[0].index == 2
    first.edit(lambda track: track)  # CVAT gives everything new ids
    assert pull(dataset, record.key, client).sample_ids == ()


def test_deleted_track__removes_the_labels_of_its_job(dataset, client, send, jobs):
    record = send(field=FIELD, images_per_job=10)
    third = jobs(record)[2]
    car = label_named(client, record, "car")
    third.edit(lambda track: None if track.label_id == car else track)
    report = pull(dataset, record.key, client)
    assert report.counts == {"removed": 10}
    after = labels(dataset)
    cars = {number for number, found in after.items() for item in found if item["label"] == "car"}
    assert {number for number in cars if number > 20} == {21, 28}  # those without an index


def test_pasted_track__gets_an_index_of_its_own(dataset, client, send, jobs):
    before = labels(dataset)
    record = send(field=FIELD)
    (only,) = jobs(record)
    bus = label_named(client, record, "bus")
    found = client.job_annotations(only.job.id)
    (copied,) = [track for track in found.tracks if track.label_id == bus]
    only.add(without_ids(copied))
    report = pull(dataset, record.key, client)
    assert report.counts == {"added": 25}
    after = labels(dataset)
    for number, found in after.items():
        assert [item["_id"] for item in found][: len(before[number])] == [
            item["_id"] for item in before[number]
        ]
    assert {item["index"] for item in after[20]} == {1, 2}


def test_edit_here__meanwhile_is_a_conflict(dataset, client, send, jobs):
    record = send(field=FIELD)
    (only,) = jobs(record)
    sample = dataset.first()
    sample.frames[8].gt.detections[0].bounding_box = [0.2, 0.2, 0.2, 0.2]
    sample.save()
    car = label_named(client, record, "car")

    def move(track):
        if track.label_id != car:
            return track
        shapes = (
            replace(shape, points=(5.0, 5.0, 9.0, 9.0)) if shape.frame == 7 else shape
            for shape in track.shapes
        )
        return replace(track, shapes=tuple(shapes))

    only.edit(move)
    assert review_pull(dataset, record.key, client).counts == {"conflict": 1}
    pull(dataset, record.key, client, policy=ConflictPolicy.CVAT_WINS)
    found = dataset.first().frames[8].gt.detections[0].bounding_box
    assert found == pytest.approx([5 / 64, 5 / 48, 4 / 64, 4 / 48])


@pytest.mark.parametrize("content", [b"", b"no film"])
def test_unreadable_video__is_named_before_anything_is_sent(dataset, client, send, content):
    from pathlib import Path

    path = Path(dataset.first().filepath)
    path.write_bytes(content)
    tasks = len(client.find_tasks([]))
    with pytest.raises(UnreadableMedia, match=r"film.mp4"):
        send(field=FIELD)
    assert len(client.find_tasks([])) == tasks


def test_step_beyond_the_end__is_named(dataset, send):
    with pytest.raises(UnreadableMedia, match="none of those wanted"):
        send(field=FIELD, start_frame=FRAMES + 1)


def test_stock__loads_a_round_and_keeps_its_frames(dataset, send, jobs, stock):
    # Between keyframes stock copies the label id of the last one, and so loses labels with one.
    before = labels(dataset)
    jobs(send(field=FIELD))
    stock.run(["load_annotations", "round_1", {"unexpected": "ignore"}])
    assert labels(dataset).keys() == before.keys()
