"""Which type a new field of values has, of which stock FiftyOne says nothing.

Stock makes the field when it first loads a run, of the type of what annotators have entered. So
does a pull, while the field is not there; a field that is there is left as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...labels import UnreadableValue
from ...labels.attributes import Attribute
from ...labels.scalars import VALUE, VALUE_KINDS
from ..comparing.naming import TaskNames
from ..dataset.whole_values import value_class
from ..record.rounds import save_round
from .stock_runs import run_config
from .stock_schema import TEXT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient, Job
    from ...labels import LabelSchema
    from ..record.request import RoundField
    from ..record.round import Round

_LIKELIEST = ("IntField", "FloatField", "BooleanField")  # in the order in which stock tries them
_NAMED = "scalar:"


def with_types(
    dataset: fo.Dataset, record: Round, listed: Sequence[Job], client: CvatClient
) -> Round:
    """A round of stock FiftyOne with the types of its fields of values.

    Args:
        dataset: the dataset
        record: a round, its classes asked for
        listed: its jobs as they are now
        client: the server that has it

    Returns:
        the round; one that Relabel sent as it is
    """
    if record.request is not None:
        return record
    fields = tuple(_typed(dataset, record, field, listed, client) for field in record.fields)
    if fields != record.fields:
        record = replace(record, fields=fields)
        save_round(record)
    return record


def class_of(texts: Collection[str]) -> str:
    """The FiftyOne class of a field that is to hold what annotators have entered."""
    return next((name for name in _LIKELIEST if texts and _holds(name, texts)), TEXT)


def _typed(
    dataset: fo.Dataset,
    record: Round,
    field: RoundField,
    listed: Sequence[Job],
    client: CvatClient,
) -> RoundField:
    kind, schema = field.schema.label_kind, field.schema
    if kind.field_class not in VALUE_KINDS:
        return field
    found = value_class(dataset, field.name)
    if found is None and dataset.get_field(field.name) is None and kind.name.startswith(_NAMED):
        is_text = run_config(record.id).get("coerce_text_attrs") is False
        found = TEXT if is_text else class_of(_entered(record, field, listed, client))
    if found is None or found == kind.field_class:
        return field
    return replace(field, schema=_of_class(schema, found))


def _of_class(schema: LabelSchema, name: str) -> LabelSchema:
    attributes = tuple(replace(item, kind=VALUE_KINDS[name]) for item in schema.attributes)
    kind = f"{schema.kind.partition(':')[0]}:{name}"
    return replace(schema, kind=kind, attributes=attributes)


def _entered(
    record: Round, field: RoundField, listed: Sequence[Job], client: CvatClient
) -> set[str]:
    """The texts that stand in CVAT for values of a field."""
    texts = set()
    for task in record.tasks:
        names = TaskNames(record.fields, task.labels)
        jobs = [job for job in listed if job.task_id == task.id]
        for shape in client.annotations_of(jobs) if jobs else ():
            if names.fields_for(shape) == [field]:
                read = names.of_field(field.name).read(shape, field.schema)
                texts.add(read.drawn.attributes[VALUE])
    return texts - {""}


def _holds(name: str, texts: Collection[str]) -> bool:
    attribute = Attribute(VALUE, VALUE_KINDS[name])
    try:
        for text in texts:
            attribute.to_value(text)
    except UnreadableValue:
        return False
    return True
