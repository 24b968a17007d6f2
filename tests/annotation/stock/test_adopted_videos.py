"""Videos that stock FiftyOne sent are reviewed and pulled, frame by frame."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import pytest

from relabel.annotation import UnknownRound, pull, review_pull, rounds_status, undo_pull
from relabel.cvat import Annotations, JobState, Shape, Track
from tests.videos import write_video

pytestmark = pytest.mark.cvat

FRAMES = 20
SIZE = (64, 48)


def car(frame, **more):
    box = [0.0123 * frame, 0.1, 1 / 3, 0.37]
    return fo.Detection(label="car", bounding_box=box, index=1, pose=f"p{frame}", **more)


def bus(**more):
    return fo.Detection(label="bus", bounding_box=[0.51, 0.52, 0.25, 0.25], **more)


def add_video(dataset, path, labels):
    """Adds a video; ``labels`` makes those of a frame by its number."""
    sample = fo.Sample(filepath=str(write_video(path, FRAMES, SIZE)))
    sample.metadata = fo.VideoMetadata(
        frame_width=SIZE[0], frame_height=SIZE[1], total_frame_count=FRAMES, frame_rate=10
    )
    for frame in range(1, FRAMES + 1):
        sample.frames[frame] = fo.Frame(gt=fo.Detections(detections=labels(frame)))
    dataset.add_sample(sample, dynamic=True)


def many(frame):
    """An object that is gone for a while, one without index, and frames without labels."""
    gone = frame in {9, 10} or frame > 16
    return ([] if gone else [car(frame)]) + ([bus()] if frame % 3 else [])


@pytest.fixture
def dataset(tmp_path):
    dataset = fo.Dataset()
    for number in range(2):
        add_video(dataset, tmp_path / f"film_{number}.mp4", many)
    yield dataset
    dataset.delete()


def documents(dataset):
    """All documents of frames as they are stored."""
    return list(dataset._frame_collection.find({}).sort([("_sample_id", 1), ("frame_number", 1)]))


def bare(found):
    return [{**item, "last_modified_at": None} for item in found]


def boxes(found, number):
    return next(item["gt"]["detections"] for item in found if item["frame_number"] == number)


class Annotator:
    """Edits the first job of a task of a video, as CVAT's editor does."""

    def __init__(self, client, task_id, job=0):
        self.client = client
        self.jobs = sorted(client.jobs([task_id]), key=lambda job: job.start_frame)
        self.job = self.jobs[job]
        self.classes = {spec.name: spec.id for spec in client.task_labels(task_id)}

    def put(self, shapes, tracks):
        tracks = [
            replace(track, id=None, shapes=tuple(replace(s, id=None) for s in track.shapes))
            for track in tracks
        ]
        shapes = tuple(replace(shape, id=None) for shape in shapes)
        self.client.put_job_annotations(self.job.id, Annotations(shapes, tuple(tracks)))

    def edit(self, shape=lambda shape: shape, track=lambda track: track, new=()):
        found = self.client.job_annotations(self.job.id)
        shapes = [item for item in map(shape, found.shapes) if item is not None]
        tracks = [item for item in map(track, found.tracks) if item is not None]
        self.put(shapes, [*tracks, *new])

    def finish(self):
        for job in self.jobs:
            self.client.set_job(job.id, state=JobState.COMPLETED)


@pytest.fixture
def annotators(client):
    def annotators(task_ids, job=0):
        found = [Annotator(client, task_id, job) for task_id in task_ids]
        for annotator in found:
            annotator.finish()
        return found

    return annotators


SENT = [
    ({}, range(FRAMES)),
    ({"segment_size": 8}, range(FRAMES)),
    ({"frame_start": 3, "frame_stop": 11}, range(3, 12)),
]


@pytest.mark.parametrize(("options", "frames"), SENT)
def test_rounds_status__videos_of_a_stock_round(dataset, client, stock, options, frames):
    stock.annotate(label_field="frames.gt", **options)
    (status,) = rounds_status(dataset, client)
    assert (status.key, status.label_fields) == ("stock_1", ("frames.gt",))
    assert status.images == sum(job.images for job in status.jobs) == 2 * len(frames)
    numbers = {"frame_number": {"$in": [number + 1 for number in frames]}}
    sent = [len(item["gt"]["detections"]) for item in dataset._frame_collection.find(numbers)]
    assert status.labels == sum(sent)


@pytest.mark.parametrize("options", [options for options, _ in SENT])
def test_pull__untouched_videos_stay_to_the_last_byte(dataset, client, stock, annotators, options):
    annotators(stock.annotate(label_field="frames.gt", attributes=True, **options))
    before = documents(dataset)
    review = review_pull(dataset, "stock_1", client)
    assert (review.counts, review.problems) == ({}, ())
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {}
        assert documents(dataset) == before
        annotators(stock.task_ids)


def moved_at(frame, *points):
    """Moves a keyframe of a track."""

    def move(track):
        shapes = (
            replace(shape, points=points) if shape.frame == frame else shape
            for shape in track.shapes
        )
        return replace(track, shapes=tuple(shapes))

    return move


def test_pull__takes_what_was_edited_in_a_video_and_undo_restores_it(
    dataset, client, stock, annotators
):
    first, second = annotators(stock.send(label_field="frames.gt", attributes=True))
    before = documents(dataset)
    first.edit(
        shape=lambda shape: None if shape.frame == 0 else shape,
        track=moved_at(4, 1.0, 2.0, 33.0, 44.0),
        new=[
            Track(
                first.classes["bus"],
                (
                    Shape("rectangle", 1, first.classes["bus"], (0.0, 0.0, 8.0, 8.0)),
                    Shape("rectangle", 3, first.classes["bus"], (4.0, 4.0, 12.0, 12.0)),
                    Shape(
                        "rectangle", 4, first.classes["bus"], (4.0, 4.0, 12.0, 12.0), outside=True
                    ),
                ),
            )
        ],
    )
    second.put(client.job_annotations(second.job.id).shapes, ())
    counts = {"removed": 1 + 14, "moved": 1, "added": 3}
    assert pull(dataset, "stock_1", client).counts == counts
    after = documents(dataset)
    of_first, of_second = after[:FRAMES], after[FRAMES:]
    old = {label["_id"]: label for item in before for label in item["gt"]["detections"]}
    edited = boxes(of_first, 5)[0]
    assert edited["bounding_box"] == [1 / 64, 2 / 48, 0.5, 42 / 48]
    assert (edited["_id"] in old, edited["index"], edited["pose"]) == (True, 1, "p5")
    assert [label["label"] for label in boxes(of_first, 1)] == ["car"]
    new = {number: boxes(of_first, number)[-1] for number in (2, 3, 4)}
    assert {label["index"] for label in new.values()} == {2}
    assert new[3]["bounding_box"] == pytest.approx([2 / 64, 2 / 48, 8 / 64, 8 / 48])
    assert not any(label["label"] == "car" for n in range(1, 21) for label in boxes(of_second, n))
    for item in after:
        for label in item["gt"]["detections"]:
            if label["_id"] in old and label != edited:
                assert label == old[label["_id"]]
    undo_pull(dataset, "stock_1")
    assert bare(documents(dataset)) == bare(before)
    assert pull(dataset, "stock_1", client).counts == counts


def test_pull__single_frames_that_were_sent_a_step_apart(
    dataset, client, stock, annotators, tmp_path
):
    for frame in dataset._frame_collection.find({}):
        labels = [item for item in frame["gt"]["detections"] if item["label"] == "bus"]
        path = {"_id": frame["_id"]}, {"$set": {"gt.detections": labels}}
        dataset._frame_collection.update_one(*path)
    dataset.reload()
    options = {"frame_start": [1, 2], "frame_stop": [15, 16], "frame_step": [3, 4]}
    first, second = annotators(stock.annotate(label_field="frames.gt", **options))
    (status,) = rounds_status(dataset, client)
    assert status.images == 5 + 4
    before = documents(dataset)
    assert pull(dataset, "stock_1", client).counts == {}
    # The frames 2, 5, 8, 11, 14 of the one film, and 3, 7, 11, 15 of the other.
    second.edit(
        shape=lambda shape: (
            replace(shape, points=(1.0, 2.0, 33.0, 44.0)) if shape.frame == 2 else shape
        )
    )
    annotators(stock.task_ids)
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    after = documents(dataset)
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(item["frame_number"], str(item["_sample_id"])) for item in changed] == [
        (11, dataset.last().id)
    ]
    assert first.job.stop_frame == 4


@pytest.fixture
def keyframes(tmp_path):
    """Objects of which only some frames say that they are keyframes."""

    def labels(frame):
        found = [car(frame, keyframe=frame in {1, 6, 7, 15})]
        if frame in {4, 5, 6, 12}:
            still = fo.Detection(label="van", bounding_box=[0.51, 0.2, 0.3, 0.3], index=7)
            found.append(still)
        return found

    dataset = fo.Dataset()
    add_video(dataset, tmp_path / "film.mp4", labels)
    yield dataset
    dataset.delete()


@pytest.fixture
def stock_keyframes(keyframes, client, cvat_config, cvat_admin):
    from tests.annotation.stock.stock_rounds import Stock

    stock = Stock(keyframes, cvat_config)
    yield stock
    for task_id in stock.task_ids:
        client.delete_task(task_id)


@pytest.mark.parametrize("options", [{}, {"segment_size": 7}])
def test_pull__labels_between_keyframes_that_stock_did_not_send(
    keyframes, client, stock_keyframes, annotators, options
):
    (annotator,) = annotators(stock_keyframes.annotate(label_field="frames.gt", **options))
    before = documents(keyframes)
    review = review_pull(keyframes, "stock_1", client)
    assert review.counts == {}
    assert pull(keyframes, "stock_1", client).counts == {}
    assert documents(keyframes) == before
    van = annotator.classes["van"]
    annotator.edit(track=lambda track: None if track.label_id == van else track)
    annotators(stock_keyframes.task_ids)
    # The last frame of the van was alone, and stock lost it on the way.
    removed = sum(frame <= annotator.job.stop_frame for frame in (3, 4, 5))
    assert pull(keyframes, "stock_1", client).counts == {"removed": removed}
    assert [label["label"] for label in boxes(documents(keyframes), 12)] == ["car", "van"]


def test_pull__what_was_edited_here_before_a_video_was_seen_is_a_conflict(
    dataset, client, stock, annotators
):
    first, _ = annotators(stock.annotate(label_field="frames.gt"))
    sample = dataset.first()
    sample.frames[5].gt.detections[0].bounding_box = [0.5, 0.5, 0.25, 0.25]
    sample.save()
    before = documents(dataset)
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
        assert documents(dataset) == before
        first.finish()


def test_pull__a_field_of_frames_that_was_renamed_before_it_was_seen(
    dataset, client, stock, annotators
):
    annotators(stock.annotate(label_field="frames.gt"))
    dataset.rename_frame_field("gt", "truth")
    before = documents(dataset)
    assert rounds_status(dataset, client)[0].label_fields == ("frames.truth",)
    assert pull(dataset, "stock_1", client).counts == {}
    assert documents(dataset) == before


def test_pull__a_video_that_was_deleted_and_a_frame_that_was_deleted(
    dataset, client, stock, annotators
):
    first, second = annotators(stock.annotate(label_field="frames.gt"))
    dataset.delete_samples(dataset.first())
    dataset._frame_collection.delete_many({"frame_number": 4})
    second.edit(track=moved_at(1, 1.0, 2.0, 33.0, 44.0))
    second.finish()
    report = pull(dataset, "stock_1", client)
    # The frame had a car and a bus. Nobody knows how they were.
    assert report.counts == {"moved": 1, "conflict": 2}
    assert any("1 images are no longer" in problem for problem in report.problems)
    assert first.classes == second.classes or first.classes.keys() == second.classes.keys()


def test_pull__a_new_field_of_frames(dataset, client, stock, annotators):
    options = {"label_field": "frames.fresh", "label_type": "detections", "classes": ["cat"]}
    first, _ = annotators(stock.annotate(**options))
    cat = first.classes["cat"]
    shapes = (
        Shape("rectangle", 2, cat, (0.0, 0.0, 8.0, 8.0)),
        Shape("rectangle", 4, cat, (4.0, 4.0, 12.0, 12.0), outside=True),
    )
    before = documents(dataset)
    first.edit(new=[Track(cat, shapes)])
    assert pull(dataset, "stock_1", client).counts == {"added": 2}
    found = {item["frame_number"]: item.get("fresh") for item in documents(dataset)[:FRAMES]}
    labels = {number: value["detections"] for number, value in found.items() if value}
    assert labels.keys() == {3, 4}
    assert [label["index"] for (label,) in labels.values()] == [0, 0]
    first.finish()
    assert pull(dataset, "stock_1", client).counts == {}
    undo_pull(dataset, "stock_1")
    assert bare(documents(dataset)) == bare(before)


def test_pull__values_of_frames(dataset, client, stock, annotators):
    for frame in dataset._frame_collection.find({}):
        number = frame["frame_number"]
        values = {"count": number, "weather": "sun" if number % 2 else "rain"}
        dataset._frame_collection.update_one({"_id": frame["_id"]}, {"$set": values})
    dataset.add_frame_field("count", fo.IntField)
    dataset.add_frame_field("weather", fo.StringField)
    schema = {"frames.count": {}, "frames.weather": {"classes": ["sun", "rain", "snow"]}}
    schema["frames.fine"] = {"type": "scalar"}
    first, _ = annotators(stock.annotate(label_schema=schema))
    before = documents(dataset)
    assert pull(dataset, "stock_1", client).counts == {}
    assert documents(dataset) == before
    (value,) = first.client.task_labels(stock.task_ids[0])[0].attributes
    fine = next(spec for spec in client.task_labels(stock.task_ids[0]) if "fine" in spec.name)

    def edit(shape):
        if shape.frame != 6:
            return shape
        if shape.label_id == first.classes["frames.count"]:
            return replace(shape, attributes={value.id: "41"})
        return replace(shape, label_id=first.classes["snow"])

    tag = Shape("tag", 2, fine.id, (), attributes={fine.attributes[0].id: "true"})
    found = client.job_annotations(first.job.id)
    first.put([*map(edit, found.shapes), tag], found.tracks)
    first.finish()
    assert pull(dataset, "stock_1", client).counts == {
        "attribute": 1,
        "relabelled": 1,
        "added": 1,
    }
    after = documents(dataset)[:FRAMES]
    assert [item["count"] for item in after] == [*range(1, 7), 41, *range(8, 21)]
    assert after[6]["weather"] == "snow"
    assert [item["weather"] for item in after[:6]] == ["sun", "rain"] * 3
    assert {item["frame_number"]: item["fine"] for item in after if "fine" in item} == {3: True}
    undo_pull(dataset, "stock_1")
    assert bare(documents(dataset)) == bare(before)


def test_rounds_status__clips_and_frames_of_videos_are_shown_with_the_reason(
    dataset, client, stock
):
    clips = dataset.to_clips([[(2, 5)], [(3, 6)]])
    clips.compute_metadata()
    try:
        stock.annotate("clips", samples=clips, label_field="frames.gt")
    finally:
        (status,) = rounds_status(dataset, client)
        assert "a view of clips of videos" in status.problem.message
        with pytest.raises(UnknownRound, match=r"load_annotations\('clips'\)"):
            pull(dataset, "clips", client)


def test_rounds_status__a_view_of_some_frames_is_shown_with_the_reason(dataset, client, stock):
    view = dataset.match_frames(fo.ViewField("frame_number") > 4)
    stock.annotate(samples=view, label_field="frames.gt")
    (status,) = rounds_status(dataset, client)
    assert "drew their labels on other frames" in status.problem.message
    before = documents(dataset)
    with pytest.raises(UnknownRound, match="send whole videos"):
        pull(dataset, "stock_1", client)
    assert documents(dataset) == before
