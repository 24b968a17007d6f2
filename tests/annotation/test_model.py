"""Edits on both sides, pulls and undos in any order, beside a model made of dictionaries.

The model knows what each side holds of one image and what both last agreed on. Whatever the order
of things, the engine must come to the same labels with the same ids and tags, write nothing else,
and restore what a pull overwrote to the last byte.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import fiftyone as fo
import pytest
from bson import ObjectId, encode
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PIL import Image

from relabel.annotation import (
    EVERYTHING,
    ConflictPolicy,
    NothingToUndo,
    Request,
    RoundField,
    field_facts,
    make_plan,
    pull,
    push,
    undo_pull,
)
from relabel.cvat import Shape
from tests.annotation.exchange_model import Here, Model, There, Undo, Value

pytestmark = pytest.mark.cvat

SIDE = 64  # pixels, so that every box is an exact fraction of it
CLASSES = ("cat", "dog")


class Exchange(RuleBasedStateMachine):
    """One image that is edited, and one that must never change."""

    client = None
    folder = None

    def __init__(self):
        super().__init__()
        self.model = Model()
        self.serial = count()
        self.generation = 0
        self.ids_known = True  # whether the baseline has the ids that the shapes have now
        self.tags = count()

    @initialize()
    def send(self):
        self.dataset = fo.Dataset()
        samples = []
        for name in ("edited", "untouched"):
            path = self.folder / f"{name}.png"
            Image.new("RGB", (SIDE, SIDE)).save(path)
            labels = [self._detection(self._new_value()) for _ in range(3)]
            labels[0].tags, labels[1]["confidence"] = ["sent"], 0.5
            detections = fo.Detections(detections=labels)
            samples.append(fo.Sample(filepath=str(path), ground_truth=detections))
        self.dataset.add_samples(samples, dynamic=True)
        self.sample_id, self.other_id = samples[0].id, samples[1].id
        self.untouched = self._bytes(self.other_id)
        schema = field_facts(self.dataset, "ground_truth").to_schema(CLASSES)
        request = Request("round_1", (RoundField("ground_truth", schema),))
        self.task = push(self.dataset, make_plan(self.dataset, request), self.client).tasks[0]
        self.labels = {spec.name: spec for spec in self.task.labels}
        self.model.here = self._stored()
        self.model.base = {label_id: item.value for label_id, item in self.model.here.items()}
        for shape in self._shapes():
            carried = next(v for v in shape.attributes.values() if v in self.model.base)
            value = self.model.base[carried]
            self.model.there[shape.id] = There(value, carried, carried)

    # What a person does in CVAT

    def _shape(self, data):
        return data.draw(st.sampled_from(sorted(self.model.there)), "shape")

    def _is_found_again(self, shape):
        """Whether something says which label a shape is, once it is drawn otherwise."""
        return self.ids_known or shape.label_id in {None, shape.carried}

    @precondition(lambda self: self.model.there)
    @rule(data=st.data())
    def move_there(self, data):
        shape_id = self._shape(data)
        self._update(shape_id, box=self._new_value().box)

    @precondition(lambda self: self.model.there)
    @rule(data=st.data())
    def set_attribute_there(self, data):
        shape_id = self._shape(data)
        self._update(shape_id, crowd=not self.model.there[shape_id].value.crowd)

    @precondition(lambda self: self.model.there)
    @rule(data=st.data())
    def relabel_there(self, data):
        """As the editor does: the attributes of the new class are empty, the label id too."""
        shape_id = self._shape(data)
        shape = self.model.there[shape_id]
        if not self.ids_known:
            return  # nothing would say which label it is
        shape.carried = ""
        other = "dog" if shape.value.label == "cat" else "cat"
        self._update(shape_id, label=other, crowd=False)

    @precondition(lambda self: self.model.there)
    @rule(data=st.data())
    def delete_there(self, data):
        shape_id = self._shape(data)
        shape = self.model.there[shape_id]
        copies = (s for s in self.model.there.values() if s.carried == shape.label_id)
        if shape.label_id and any(s.label_id is None for s in copies):
            return  # its copy would rightly be taken for it
        self._patch("delete", [(shape_id, shape)])
        del self.model.there[shape_id]

    @rule(label=st.sampled_from(CLASSES))
    def draw_there(self, label):
        self._create(There(replace(self._new_value(), label=label), None, ""))

    @precondition(lambda self: self.model.there)
    @rule(data=st.data())
    def paste_there(self, data):
        source = self.model.there[self._shape(data)]
        if source.carried and self.model.shape_of(source.carried) is None:
            return  # a copy of a label that was deleted would rightly be taken for it
        value = replace(source.value, box=self._new_value().box)
        self._create(There(value, None, source.carried))

    @rule()
    def replace_all_there(self):
        """A save that gives every shape a new id, as that of stock FiftyOne does."""
        for shape in self.model.there.values():
            if not self._is_found_again(shape):
                return
            if shape.carried != shape.label_id and self.model.base.get(shape.label_id) not in (
                None,
                shape.value,
            ):
                return  # nothing but its id would say which label it is
            if shape.label_id is None and shape.carried:
                return  # it may rightly be taken for what it was copied from
        others = [s for s in self._shapes(every=True) if s.frame]
        mine = [self._to_shape(shape) for shape in self.model.there.values()]
        put = self.client.put_task_shapes(self.task.id, [*mine, *others])
        ids = [shape.id for shape in put[: len(mine)]]
        self.model.there = dict(zip(ids, self.model.there.values(), strict=True))
        self.generation += 1
        self.ids_known = False

    # What a person does in FiftyOne

    @precondition(lambda self: self.model.here)
    @rule(data=st.data())
    def edit_here(self, data):
        label_id = data.draw(st.sampled_from(sorted(self.model.here)), "label")
        value = replace(
            self._new_value(),
            label=data.draw(st.sampled_from(CLASSES)),
            crowd=data.draw(st.booleans()),
        )
        self._edit_here(label_id, self._fields(value))
        self.model.here[label_id] = replace(self.model.here[label_id], value=value)

    @precondition(lambda self: self.model.here)
    @rule(data=st.data())
    def tag_here(self, data):
        label_id = data.draw(st.sampled_from(sorted(self.model.here)), "label")
        here = self.model.here[label_id]
        tags = (*here.tags, f"tag {next(self.tags)}")
        self._edit_here(label_id, {"tags": list(tags)})
        self.model.here[label_id] = replace(here, tags=tags)

    @precondition(lambda self: self.model.here)
    @rule(data=st.data())
    def delete_here(self, data):
        label_id = data.draw(st.sampled_from(sorted(self.model.here)), "label")
        sample = self.dataset[self.sample_id]
        labels = sample.ground_truth.detections
        sample.ground_truth.detections = [label for label in labels if label.id != label_id]
        sample.save()
        del self.model.here[label_id]

    @rule()
    def add_here(self):
        value = self._new_value()
        label = self._detection(value)
        sample = self.dataset[self.sample_id]
        sample.ground_truth.detections.append(label)
        sample.save()
        self.model.here[label.id] = Here(value)

    # What Relabel does

    @rule(policy=st.sampled_from(ConflictPolicy))
    def pull(self, policy):
        model = self.model
        before, base, documents = dict(model.here), dict(model.base), self._bytes(self.sample_id)
        settled, new = model.pull(policy)
        report = pull(self.dataset, "round_1", self.client, EVERYTHING, policy=policy)
        assert report.problems == ()
        self.ids_known = True
        stored = self._stored()
        for shape in new:
            (label_id,) = (
                label_id
                for label_id, item in stored.items()
                if label_id not in model.here and item.value == shape.value
            )
            shape.label_id = label_id
            model.base[label_id] = shape.value
            model.here[label_id] = Here(shape.value)
        if settled:
            undo = Undo(before, dict(model.here), base, documents, self.generation)
            model.undos.append(undo)
        elif model.here == before:
            assert self._bytes(self.sample_id) == documents, "nothing to write, nothing written"

    @precondition(
        lambda self: self.model.undos and self.model.undos[-1].generation == self.generation
    )
    @rule()
    def undo(self):
        saved = self.model.undos[-1]
        untouched_since = self.model.here == saved.after
        complete = self.model.undo()
        report = undo_pull(self.dataset, "round_1")
        assert (report.left == ()) == complete
        if untouched_since:
            assert self._bytes(self.sample_id) == saved.documents

    @precondition(lambda self: not self.model.undos)
    @rule()
    def nothing_to_undo(self):
        with pytest.raises(NothingToUndo):
            undo_pull(self.dataset, "round_1")

    @invariant()
    def both_sides_are_as_the_model_says(self):
        if not hasattr(self, "labels"):
            return
        assert self._stored() == self.model.here
        assert self._bytes(self.other_id) == self.untouched
        shapes = {shape.id: shape for shape in self._shapes()}
        assert {i: tuple(map(int, s.points)) for i, s in shapes.items()} == {
            i: s.value.box for i, s in self.model.there.items()
        }

    def teardown(self):
        if hasattr(self, "task"):
            self.client.delete_task(self.task.id)
            self.dataset.delete()

    # Between the model and the two sides

    def _new_value(self):
        """A value that no other label has."""
        number = next(self.serial)
        left, top = number % 32, number // 32
        return Value((left, top, left + 16, top + 8))

    def _fields(self, value):
        left, top, right, bottom = (side / SIDE for side in value.box)
        box = [left, top, right - left, bottom - top]
        return {"label": value.label, "bounding_box": box, "crowd": value.crowd}

    def _detection(self, value):
        return fo.Detection(**self._fields(value))

    def _edit_here(self, label_id, fields):
        sample = self.dataset[self.sample_id]
        (label,) = (item for item in sample.ground_truth.detections if item.id == label_id)
        for name, value in fields.items():
            label[name] = value
        sample.save()

    def _document(self, sample_id):
        return self.dataset._sample_collection.find_one({"_id": ObjectId(sample_id)})

    def _bytes(self, sample_id):
        document = self._document(sample_id)
        labels = {"detections": [], **document["ground_truth"]}
        return encode({**document, "ground_truth": labels, "last_modified_at": None})

    def _stored(self):
        found = {}
        # FiftyOne leaves a list out that has become empty.
        labels = self._document(self.sample_id)["ground_truth"].get("detections", [])
        for label in labels:
            x, y, width, height = label["bounding_box"]
            sides = (side * SIDE for side in (x, y, x + width, y + height))
            value = Value(tuple(map(int, sides)), label["label"], bool(label.get("crowd")))
            found[str(label["_id"])] = Here(value, tuple(label["tags"]))
        return found

    def _shapes(self, *, every=False):
        shapes = self.client.task_annotations(self.task.id).shapes
        return [shape for shape in shapes if every or shape.frame == 0]

    def _to_shape(self, there):
        spec = self.labels[there.value.label]
        ids = {item.name: item.id for item in spec.attributes}
        texts = {ids["label_id"]: there.carried, ids["crowd"]: str(there.value.crowd).lower()}
        points = tuple(map(float, there.value.box))
        return Shape("rectangle", 0, spec.id, points, attributes=texts)

    def _patch(self, action, items):
        shapes = [
            self._to_shape(shape).to_json() | ({"id": shape_id} if shape_id else {})
            for shape_id, shape in items
        ]
        return self.client._transport.send_json(
            "PATCH",
            f"/api/tasks/{self.task.id}/annotations",
            {"version": 0, "tags": [], "tracks": [], "shapes": shapes},
            {"action": action},
        )

    def _update(self, shape_id, **changes):
        shape = self.model.there[shape_id]
        if self._is_found_again(shape):
            shape.value = replace(shape.value, **changes)
            self._patch("update", [(shape_id, shape)])

    def _create(self, shape):
        (made,) = self._patch("create", [(None, shape)])["shapes"]
        self.model.there[made["id"]] = shape


def test_exchange__any_order_of_edits_pulls_and_undos(client, tmp_path):
    machine = type("Machine", (Exchange,), {"client": client, "folder": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],  # each example is a round: to make one smaller takes long
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
