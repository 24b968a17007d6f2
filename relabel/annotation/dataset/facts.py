"""What the labels of a field look like: the classes and attributes that a form is prefilled with.

Looking costs one scan of the field, so what was found is kept until the dataset changes.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache, cached

from ...labels import (
    LABEL_ID,
    Attribute,
    LabelKind,
    LabelSchema,
    ShapeType,
    kind_named,
    kind_of_class,
)
from ...labels.boxes import ROTATION
from ...labels.keypoints import VISIBLE
from ...labels.schema import ANY, PART
from ..errors import UnsupportedField
from .attributes import PROVENANCE, declared_attribute, infer_attribute
from .groups import every_sample
from .videos import FRAMES, is_video
from .whole_values import mask_targets, scalar_attribute

if TYPE_CHECKING:
    from collections.abc import Iterable

    import fiftyone as fo

_NOT_FOR_ANNOTATORS = frozenset(
    {
        *("_id", "id", "_cls", "attributes", "tags", "label", "bounding_box", "mask", "mask_path"),
        *("points", "points3d", "closed", "filled", "logits", "missing_points", PART),
        *("confidence", "index", "keyframe", "instance", ROTATION, LABEL_ID),
    }
)

_LEFT_BY_RUNS = frozenset(
    {
        *PROVENANCE,
        # what FiftyOne's brain and evaluation leave on labels
        *("mistakenness", "mistakenness_loc", "possible_missing", "possible_spurious"),
        *("max_iou", "dup_ids", "hardness", "uniqueness", "eval_iou", "eval_id", "eval"),
        # what Relabel's queue of label errors does
        *("label_error", "label_error_score", "label_error_instead"),
    }
)


# Not for annotators either, but they say how many labels there are, and of which sort.
_COUNTED = frozenset({"_id", "mask", "mask_path", "closed"})

_OF_FIFTYONE = frozenset({"id", "filepath", "created_at", "last_modified_at"})


@dataclass(frozen=True)
class FieldFacts:
    """What the labels of a field look like.

    Args:
        classes: the names of classes, sorted
        attributes: the attributes that annotators could edit
        left_out: attributes that cannot travel, because their values have no single simple type
        labels: the number of labels
        with_mask: how many of them have an instance mask
        kind: the name of the kind of labels
        shape_type: what annotators draw, where the labels say so
        nodes: the names of the nodes of the skeleton that the dataset has for the field
        edges: the nodes that it joins
        targets: number and class, of a field of segmentations
    """

    classes: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    left_out: tuple[str, ...] = ()
    labels: int = 0
    with_mask: int = 0
    kind: str = "detections"
    shape_type: str = ""
    nodes: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    targets: tuple[tuple[int, str], ...] = ()

    def to_schema(
        self,
        classes: Iterable[str] | None = None,
        attributes: Iterable[Attribute] | None = None,
        *,
        outlined: bool = False,
    ) -> LabelSchema:
        """What a round of the field offers to annotators.

        Args:
            classes: the classes, or None for those that the field has
            attributes: the attributes, or None for all that can travel
            outlined: whether instance masks are drawn as polygons
        """
        return LabelSchema(
            classes=self.classes if classes is None else tuple(classes),
            attributes=self.attributes if attributes is None else tuple(attributes),
            kind=self.kind,
            shape_type=self.shape_type,
            nodes=self.nodes,
            edges=self.edges,
            targets=self.targets,
            outlined=outlined,
        )


def label_fields(dataset: fo.Dataset) -> dict[str, LabelKind]:
    """The fields of a dataset whose labels can travel, and the kind of each."""
    found = {}
    video = is_video(dataset)
    fields = dataset.get_frame_field_schema() if video else dataset.get_field_schema()
    for name, field in fields.items():
        document_type = getattr(field, "document_type", None)
        kind = kind_of_class(document_type.__name__) if document_type else None
        if kind is not None:
            found[f"{FRAMES}{name}" if video else name] = kind
    return found


def travelling_fields(dataset: fo.Dataset) -> dict[str, LabelKind]:
    """The same, and the fields of numbers, booleans and texts, which travel where one is named."""
    found = label_fields(dataset)
    if is_video(dataset):
        return found
    for name, field in dataset.get_field_schema().items():
        kind = kind_of_class(type(field).__name__)
        if kind is not None and not field.read_only and name not in _OF_FIFTYONE:
            found[name] = kind
    return found


def detection_fields(dataset: fo.Dataset) -> list[str]:
    """The fields of a dataset that hold detections."""
    detections = kind_named("detections")
    return [name for name, kind in label_fields(dataset).items() if kind is detections]


def field_facts(dataset: fo.Dataset, field: str) -> FieldFacts:
    """Looks at the labels of a field.

    Args:
        dataset: the dataset
        field: the name of a field of labels

    Raises:
        UnsupportedField: if its labels cannot travel
    """
    fields = travelling_fields(dataset)
    if field not in fields:
        raise UnsupportedField(
            f"{field!r} is not a field of labels that can be sent.",
            f"Choose one of: {', '.join(label_fields(dataset)) or '(there is none)'}.",
        )
    if fields[field].put_together:
        return _whole_facts(dataset, field, fields[field])
    changed = f"{FRAMES}last_modified_at" if is_video(dataset) else "last_modified_at"
    version = str(dataset._max(changed))  # noqa: SLF001 - `bounds` does not use the index
    facts = _field_facts(dataset, field, version)
    facts = replace(facts, **_skeleton(dataset, field))
    if facts.nodes:  # each node says so itself
        kept = (attribute for attribute in facts.attributes if attribute.name != VISIBLE)
        facts = replace(facts, attributes=tuple(kept))
    schema = dataset.label_schemas.get(field)
    return _with_schema(facts, schema, hidden_attributes(dataset)) if schema else facts


def _whole_facts(dataset: fo.Dataset, field: str, kind: LabelKind) -> FieldFacts:
    if kind.field_class == "Segmentation":
        targets = mask_targets(dataset, field)
        names = tuple(dict.fromkeys(name for _, name in targets))
        return FieldFacts(names, (), kind=kind.name, targets=targets)
    attribute = scalar_attribute(dataset, field, kind.field_class)
    return FieldFacts((field,), (attribute,), kind=kind.name)


def label_path(field: str, kind: LabelKind) -> str:
    """Where the labels of a field are."""
    return field if kind.path is None else f"{field}.{kind.path}"


def _facts_key(dataset: fo.Dataset, field: str, version: str) -> tuple[str, ...]:
    return str(dataset._doc.id), field, version  # noqa: SLF001 - the id has no public name


@cached(LRUCache(64), key=_facts_key, lock=threading.Lock())
def _field_facts(dataset: fo.Dataset, field: str, version: str) -> FieldFacts:  # noqa: ARG001
    kind = label_fields(dataset)[field]
    path = label_path(field, kind)
    stored = path.removeprefix(FRAMES)
    internal = hidden_attributes(dataset)
    # One group per attribute and type of value; null means that a label has no value.
    groups = every_sample(dataset)._aggregate(  # noqa: SLF001 - no public aggregation sees undeclared attributes
        frames_only=is_video(dataset),
        pipeline=[
            # Most of what each label has is not asked for; the database counts the rest sooner.
            {"$project": {f"{stored}.{name}": 0 for name in internal - _COUNTED}},
            {"$project": {"label": f"${stored}"}},
            {"$unwind": "$label"},
            {"$project": {"item": {"$objectToArray": "$label"}}},
            {"$unwind": "$item"},
            {
                "$group": {
                    "_id": {"name": "$item.k", "type": {"$type": "$item.v"}},
                    "count": {"$sum": 1},
                    "smallest": {"$min": "$item.v"},
                    "largest": {"$max": "$item.v"},
                }
            },
        ],
    )
    types: dict[str, dict[str, Any]] = {}
    for group in groups:
        types.setdefault(group["_id"]["name"], {})[group["_id"]["type"]] = group
    attributes, left_out = [], []
    for name in sorted(set(types) - internal):
        attribute = infer_attribute(dataset, f"{path}.{name}", types[name])
        if attribute:
            attributes.append(attribute)
        elif set(types[name]) != {"null"}:
            left_out.append(name)
    return FieldFacts(
        classes=_classes(dataset, field, path),
        attributes=tuple(attributes),
        left_out=tuple(left_out),
        labels=sum(group["count"] for group in types.get("_id", {}).values()),
        with_mask=_count_values(types, ("mask", "mask_path")),
        kind=kind.name,
        shape_type=_shape_type(kind, types),
    )


def _classes(dataset: fo.Dataset, field: str, path: str) -> tuple[str, ...]:
    declared = dataset.classes.get(field) or dataset.default_classes
    # To count is half the work of finding what is distinct.
    present = every_sample(dataset).count_values(f"{path}.label")
    return (*declared, *sorted(present.keys() - {None, *declared}))


def _shape_type(kind: LabelKind, types: dict[str, dict[str, Any]]) -> str:
    """What annotators draw: in a field of several sorts, any of them."""
    labels = _count_values(types, ("_id",))
    if kind.label_class == "Detection" and labels:
        masks = _count_values(types, ("mask", "mask_path"))
        return ShapeType.MASK if masks == labels else ANY if masks else ShapeType.RECTANGLE
    closed = types.get("closed", {}).get("bool")
    if kind.label_class == "Polyline" and closed:
        if closed["smallest"] != closed["largest"]:
            return ANY
        return ShapeType.POLYGON if closed["largest"] else ShapeType.POLYLINE
    return ""


def _skeleton(dataset: fo.Dataset, field: str) -> dict[str, Any]:
    """The skeleton that a dataset has for a field of keypoints."""
    skeleton = dataset.skeletons.get(field) or dataset.default_skeleton
    if skeleton is None or label_fields(dataset)[field].label_class != "Keypoint":
        return {}
    edges = tuple(pair for chain in skeleton.edges or () for pair in itertools.pairwise(chain))
    count = len(skeleton.labels or ()) or 1 + max((max(edge) for edge in edges), default=-1)
    names = tuple(skeleton.labels or ())
    if len(set(names)) != count:
        names = tuple(map(str, range(count)))
    return {"nodes": names, "edges": edges}


def _count_values(types: dict[str, dict[str, Any]], names: Iterable[str]) -> int:
    return sum(
        group["count"]
        for name in names
        for kind, group in types.get(name, {}).items()
        if kind != "null"
    )


def hidden_attributes(dataset: fo.Dataset) -> frozenset[str]:
    """The names of what is not for annotators, also what runs left on labels."""
    return _NOT_FOR_ANNOTATORS | left_by_runs(dataset)


def left_by_runs(dataset: fo.Dataset) -> frozenset[str]:
    """The names of what brain runs, evaluations and pulls left on labels."""
    return _LEFT_BY_RUNS.union(
        f"{key}{suffix}" for key in dataset.list_evaluations() for suffix in ("", "_id", "_iou")
    )


def _with_schema(
    facts: FieldFacts, schema: dict[str, Any], internal: frozenset[str]
) -> FieldFacts:
    """What a dataset's own annotation schema says of a field goes before what its labels show."""
    present = {attribute.name: attribute for attribute in facts.attributes}
    declared = schema.get("classes") or ()
    attributes = [
        declared_attribute(item) or present.get(item["name"])
        for item in schema.get("attributes") or ()
        if item["name"] not in internal and not item.get("read_only")
    ]
    kept = tuple(attribute for attribute in attributes if attribute)
    others = {*facts.left_out, *present} - {attribute.name for attribute in kept}
    return replace(
        facts,
        classes=(*declared, *(name for name in facts.classes if name not in declared)),
        attributes=kept,
        left_out=tuple(sorted(others)),
    )
