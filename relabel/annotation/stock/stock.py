"""A round as FiftyOne knows it: an annotation run that stock FiftyOne can load.

Written with FiftyOne's own classes, so that a process without this plugin reads it. No credentials
are kept: stock FiftyOne takes them from its own configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.utils.cvat as fouc

from ...cvat import FrameSpan, InputType
from ...labels import ShapeType
from ..dataset import frame_storage
from ..dataset.facts import label_path
from ..dataset.storage import value_ids
from ..dataset.videos import is_video
from ..record.rounds import run_keys
from .stock_runs import read_results, sent_fields, write_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import fiftyone as fo
    from bson import ObjectId

    from ...labels import LabelSchema
    from ..record.baseline import SentFrame
    from ..record.request import RoundField
    from ..record.round import Round

_BACKEND = "cvat"


def register_run(
    samples: fo.SampleCollection,
    key: str,
    *,
    url: str,
    fields: Sequence[RoundField],
    span: FrameSpan,
) -> ObjectId:
    """Registers an annotation run that has no results yet.

    Args:
        samples: the samples of the round
        key: its name
        url: the address of the CVAT server
        fields: the label fields that it annotates
        span: which frames of videos are sent

    Returns:
        the id of the run's document
    """
    config = _config(samples, url, fields, span)
    config.build().register_run(samples, key, overwrite=False)
    dataset = samples._root_dataset  # noqa: SLF001 - no public name
    return next(run_id for run_id, name in run_keys(dataset).items() if name == key)


def save_results(samples: fo.SampleCollection, record: Round, frames: Iterable[SentFrame]) -> None:
    """Saves what stock FiftyOne needs to load the labels of a round.

    Args:
        samples: the samples of the round
        record: the round
        frames: its baseline
    """
    names = [field.name for field in record.fields]
    id_map: dict[str, dict[str, Any]] = {name: {} for name in names}
    server_ids: dict[str, dict[int, str]] = {"shapes": {}, "tags": {}}
    frame_ids: dict[int, dict[int, dict[str, str]]] = {task.id: {} for task in record.tasks}
    dataset = samples._root_dataset  # noqa: SLF001 - no public name
    known = frame_storage.frame_ids(dataset) if is_video(dataset) else {}
    values = {
        name: value_ids(dataset, name) for name, kind in record.kinds.items() if kind.of_classes
    }
    for frame in frames:
        field, number = frame.place.field, frame.frame
        shown = {"sample_id": frame.sample_id}
        holder_id, of_sample = frame.sample_id, id_map[field]
        if frame.place.frame_number is not None:
            frame_id = known.get((frame.sample_id, frame.place.frame_number))
            if frame_id is None:
                continue  # stock makes the frames of a video before it sends it, we do not
            number = frame.place.frame_number - 1  # stock counts the frames of the file
            shown["frame_id"] = holder_id = frame_id
            of_sample = id_map[field].setdefault(frame.sample_id, {})
        ids = [label.id for label in frame.labels if label.start is None]
        if field in values:
            ids = [values[field][holder_id]] if ids and holder_id in values[field] else []
        of_sample[holder_id] = ids
        for label in frame.labels:
            tag = label.drawn.type == ShapeType.TAG
            server_ids["tags" if tag else "shapes"][label.shape_id] = label.id
        frame_ids[frame.task_id][number] = shown
    span = record.request.span if record.request else FrameSpan()
    config = _config(samples, record.url, record.fields, span)
    backend = config.build()
    task_ids = [task.id for task in record.tasks]
    results = fouc.CVATAnnotationResults(
        samples,
        config,
        record.key,
        id_map,
        server_ids,
        [],
        task_ids,
        {task.id: list(task.jobs) for task in record.tasks},
        frame_ids,
        dict.fromkeys(names, task_ids),
        backend=backend,
    )
    # Results in the cache would keep a config without credentials, and stock would then ask for
    # them on standard input.
    backend.save_run_results(samples, record.key, results, cache=False)


def note_labels(dataset: fo.Dataset, record: Round, frames: Iterable[SentFrame]) -> None:
    """Tells stock FiftyOne which labels a round has, where a pull or its undoing changed that.

    Stock takes a shape of a label that it does not know for a new one, and makes it a second time.

    Args:
        dataset: the dataset
        record: the round
        frames: the baseline of images that have got other labels
    """
    frames = [
        frame
        for frame in frames
        if frame.place.frame_number is None
        and record.kinds[frame.place.field].put_together is None
    ]
    results = read_results(record.id) if frames else None
    if results is None:
        return
    names = [field.name for field in record.fields]
    sent_as = dict(zip(names, sent_fields(record.id), strict=True))
    for frame in frames:
        ids = results["id_map"].setdefault(sent_as[frame.place.field], {})
        ids[frame.sample_id] = [label.id for label in frame.labels]
        for label in frame.labels:
            kind = "tags" if label.drawn.type == ShapeType.TAG else "shapes"
            results["server_id_map"].setdefault(kind, {})[str(label.shape_id)] = label.id
    write_results(record.id, results)
    dataset.reload()  # it has results in memory that are gone


def delete_run(dataset: fo.Dataset, key: str) -> None:
    """Deletes a run, and nothing in CVAT."""
    dataset.reload()
    if dataset.has_annotation_run(key):
        dataset.delete_annotation_run(key)


def _config(
    samples: fo.SampleCollection, url: str, fields: Sequence[RoundField], span: FrameSpan
) -> fouc.CVATBackendConfig:
    label_schema = {field.name: _field_config(samples, field) for field in fields}
    frames = {}
    if span != FrameSpan():
        frames = {
            "frame_start": span.start,
            "frame_stop": span.stop,
            "frame_step": span.step,
        }
    return fouc.CVATBackendConfig(_BACKEND, label_schema, url=url, **frames)


def _field_config(samples: fo.SampleCollection, field: RoundField) -> dict[str, Any]:
    """A field in the words of stock FiftyOne's label schema."""
    schema = field.schema
    config: dict[str, Any] = {
        "type": _stock_type(schema),
        "classes": list(schema.classes) if schema.label_kind.carries_id else [],
        "attributes": {},
        "existing_field": samples.has_field(field.name),
        "allow_additions": True,
        "allow_deletions": True,
        "allow_label_edits": True,
        "allow_index_edits": True,
        "allow_spatial_edits": True,
    }
    if schema.label_kind.put_together is None:
        config["attributes"] = {
            spec.name: _attribute(spec.input_type, spec.values, spec.default)
            for spec in (attribute.to_spec() for attribute in schema.attributes)
        }
    if schema.label_kind.of_classes:
        numbers = {int(name): name for name in schema.classes if name.isdecimal()}
        named = numbers | dict(schema.targets)
        config["mask_targets"] = {0: "background", **named}
    if schema.tracks and config["existing_field"]:
        path = f"{label_path(field.name, schema.label_kind)}.keyframe"
        config["only_keyframes"] = samples.has_field(path) and True in samples.distinct(path)
    return config


def _attribute(input_type: InputType, values: Sequence[str], default: str) -> dict[str, Any]:
    """An attribute in stock FiftyOne's words; it calls a number field a text field."""
    if input_type is InputType.CHECKBOX:
        return {"type": input_type.value, "values": [True, False], "default": False}
    if input_type in {InputType.SELECT, InputType.RADIO}:
        return {"type": input_type.value, "values": list(values), "default": default}
    return {"type": InputType.TEXT.value, "values": [], "default": default}


def _stock_type(schema: LabelSchema) -> str:
    """The kind of labels in stock FiftyOne's words."""
    if schema.kind == "detections" and schema.shape_type == ShapeType.MASK:
        return "instances"
    if schema.kind == "polylines" and schema.shape_type != ShapeType.POLYLINE:
        return "polygons"
    return schema.kind.partition(":")[0]
