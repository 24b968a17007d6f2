"""Any labels of the frames of a video, over a real server, however it is cut into jobs: untouched
they stay as they are to the last byte; what is edited on a keyframe is what CVAT holds there."""

from __future__ import annotations

import itertools
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace

import fiftyone as fo
import pytest
from bson import encode
from hypothesis import given
from hypothesis import strategies as st

from relabel.annotation import EVERYTHING, Request, RoundField, make_plan, pull, push, undo_pull
from relabel.cvat import Annotations
from relabel.labels import LabelSchema, kind_named
from tests.annotation.comparing.test_any_label import (
    ATTRIBUTES,
    LABELS,
    MISSING,
    NUMBERS,
    SETTINGS,
    assert_near,
    labels,
)
from tests.videos import write_video

pytestmark = pytest.mark.cvat

SIZE = (64, 48)
FRAMES = 14
NODES = ("nose", "left", "right")
POINT = st.one_of(st.tuples(NUMBERS, NUMBERS), MISSING)
SEEN = st.lists(st.integers(0, 2), min_size=3, max_size=3)
KINDS = {
    "detections": LABELS["detections"],
    "polylines": LABELS["polylines"],
    "keypoints": LABELS["keypoints"],
    "skeletons": labels(fo.Keypoint, points=st.lists(POINT, min_size=3, max_size=3), visible=SEEN),
    "classifications": LABELS["classifications"],
}
INDICES = st.sampled_from([None, 0, 1, 1, 2])
JOBS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"images_per_job": st.integers(4, 9), "overlap": st.integers(0, 2)}),
)
SPANS = st.fixed_dictionaries(
    {},
    optional={
        "start_frame": st.integers(1, 4),
        "stop_frame": st.integers(9, 20),
        "frame_step": st.integers(1, 3),
    },
)
CUTS = st.builds(lambda jobs, span: {**jobs, **span}, JOBS, SPANS)


@st.composite
def frames(draw, kind):
    """The labels of frames that have any: some belong to objects, some say they are keyframes."""
    found = {}
    for number in draw(st.sets(st.integers(1, FRAMES), min_size=4)):
        items = draw(st.lists(KINDS[kind], max_size=4))
        for item in items:
            if kind != "classifications":
                item.index = draw(INDICES)
                if item.index is not None and draw(st.booleans()):
                    item["keyframe"] = draw(st.booleans())
        found[number] = items
    return found


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return str(write_video(tmp_path_factory.mktemp("videos") / "film.mp4", FRAMES, SIZE))


@pytest.fixture
def sent(client, video):
    """Sends a video with labels; gives the dataset, and what is drawn and edited in CVAT."""

    @contextmanager
    def sent(name, found, cut):
        kind = "keypoints" if name == "skeletons" else name
        field_class = getattr(fo, kind_named(kind).field_class)
        sample = fo.Sample(filepath=video)
        for number, items in found.items():
            sample.frames[number] = fo.Frame(labels=field_class(**{kind: items}))
        dataset = fo.Dataset()
        dataset.add_sample(sample)
        nodes = {"nodes": NODES, "edges": ((0, 1), (0, 2))} if name == "skeletons" else {}
        shape_type = "any" if kind != "classifications" and not nodes else ""
        schema = LabelSchema(("car", "Größe 😀"), ATTRIBUTES, kind, shape_type, **nodes)
        request = Request("round_1", (RoundField("frames.labels", schema),), **cut)
        record = push(dataset, make_plan(dataset, request), client)
        try:
            yield dataset, Drawn(client, record, schema, request)
        finally:
            client.delete_task(record.tasks[0].id)
            dataset.delete()

    return sent


def without_ids(track):
    return replace(
        track,
        id=None,
        shapes=tuple(replace(shape, id=None) for shape in track.shapes),
        elements=tuple(map(without_ids, track.elements)),
    )


def moved(track, by, flags):
    """A track whose every keyframe is elsewhere, and has a flag set."""

    def move(shape):
        points = tuple(number + by[index % 2] for index, number in enumerate(shape.points))
        texts = {
            spec: "true" if spec in flags else text for spec, text in shape.attributes.items()
        }
        return replace(shape, points=points, attributes=texts)

    elements = tuple(moved(node, by, flags) for node in track.elements)
    return replace(track, shapes=tuple(map(move, track.shapes)), elements=elements)


class Drawn:
    """What is drawn of a video."""

    def __init__(self, client, record, schema, request):
        self._client, self._task, self._schema = client, record.tasks[0], schema
        self.numbers = [number + 1 for number in request.span.numbers(FRAMES)]
        self.flags = {a.id for label in self._task.labels for a in label.attributes
                      if a.name == "bool"}  # fmt: skip

    def save_anew(self, change=lambda track: track):
        """Saves every job as an annotator does, so that all of it has new ids."""
        for job in self._client.jobs([self._task.id]):
            drawn = self._client.job_annotations(job.id)
            single = tuple(replace(shape, id=None) for shape in drawn.shapes)
            anew = tuple(change(without_ids(track)) for track in drawn.tracks)
            self._client.put_job_annotations(job.id, Annotations(single, anew))

    def in_cvat(self):
        """Frame number -> the coordinates of all that is to be seen there.

        On frames that two jobs share, both have the same, and only what the earlier has is taken.
        """
        found, first = defaultdict(list), 0
        for job in self._client.jobs([self._task.id]):
            drawn = self._client.job_annotations(job.id).on_frames([(first, job.stop_frame)])
            first = job.stop_frame + 1
            for shape in drawn:
                nodes = [node.points for node in shape.elements if not node.outside]
                found[self.numbers[shape.frame]] += itertools.chain(shape.points, *nodes)
        return {number: points for number, points in found.items() if points}

    def in_fiftyone(self, dataset):
        """The same of the labels in FiftyOne."""
        found = {}
        for number, items in labels_of(dataset, self.numbers).items():
            kind = self._schema.label_kind
            drawn = [kind.to_drawn(item, SIZE, self._schema) for item in items]
            points = [n for one in drawn if one for part in one.parts for n in part]
            found |= {number: points} if points else {}
        return found


def labels_of(dataset, numbers):
    """Frame number -> the labels there."""
    found = dataset._frame_collection.find(
        {"frame_number": {"$in": numbers}, "labels": {"$ne": None}}
    )
    return {
        document["frame_number"]: next(
            v for v in document["labels"].values() if isinstance(v, list)
        )
        for document in found
    }


def stored(dataset):
    """The documents of the video and its frames, without the time of their last change."""
    found = dataset._frame_collection.find({}).sort("frame_number", 1)
    documents = [dataset._sample_collection.find_one(), *found]
    return [encode({**document, "last_modified_at": None}) for document in documents]


@pytest.mark.parametrize("kind", list(KINDS))
@SETTINGS
@given(data=st.data())
def test_pull__any_untouched_video_stays_as_it_is(client, sent, kind, data):
    with sent(kind, data.draw(frames(kind)), data.draw(CUTS)) as (dataset, drawn):
        before = stored(dataset)
        for _ in range(2):
            drawn.save_anew()
            assert pull(dataset, "round_1", client, EVERYTHING).counts == {}
            assert stored(dataset) == before


@pytest.mark.parametrize("kind", ["detections", "polylines", "keypoints", "skeletons"])
@SETTINGS
@given(data=st.data())
def test_pull__any_edited_track_is_within_1e_9_of_what_cvat_holds(client, sent, kind, data):
    found = data.draw(frames(kind))
    for item in itertools.chain.from_iterable(found.values()):
        if kind == "detections":
            item.mask = None  # no track can hold one
    by = data.draw(st.tuples(*[st.floats(0.1, 30)] * 2))
    with sent(kind, found, data.draw(CUTS)) as (dataset, drawn):
        before = stored(dataset)
        was = labels_of(dataset, drawn.numbers)
        drawn.save_anew(lambda track: moved(track, by, drawn.flags))
        report = pull(dataset, "round_1", client, EVERYTHING)
        held, here = drawn.in_cvat(), drawn.in_fiftyone(dataset)
        assert held.keys() == here.keys()
        for number, points in held.items():
            assert_near(here[number], points)
        for number, items in labels_of(dataset, drawn.numbers).items():
            for old, new in zip(was[number], items, strict=True):
                edited = {"bounding_box", "points", "bool", "keyframe"}
                kept = [{k: v for k, v in one.items() if k not in edited} for one in (old, new)]
                assert encode(kept[0]) == encode(kept[1])
                assert encode(new) == encode(old) or new["bool"] is True
        assert pull(dataset, "round_1", client, EVERYTHING).counts == {}
        if report.counts:
            undo_pull(dataset, "round_1")
        assert stored(dataset) == before
