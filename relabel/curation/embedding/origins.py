"""What made vectors: those of two makers do not compare, even if they are equally long."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import NotAddable

if TYPE_CHECKING:
    import fiftyone as fo

DESCRIPTOR, APPLICATION, MODEL_FILE, ZOO = "descriptor", "application", "model_file", "zoo"
FIELD = "field"
# In the configuration of a brain run, beside what FiftyOne itself keeps there.
RECORD = "made_by"
_NAMED = {
    APPLICATION: "the Keras application {}",
    MODEL_FILE: "the model {}",
    ZOO: "the zoo's model {}",
    FIELD: "what filled the field {}",
}
_SHOWN_DIGITS = 8


@dataclass(frozen=True)
class Origin:
    """What made vectors.

    Args:
        kind: one of the constants above
        name: of the model, its file, or the field
        options: what else decides what the vectors are, e.g. the layer that they are taken from
        contents: of a model in a file, or with weights from one, a hash of what the file holds;
            None where the file cannot be read
    """

    kind: str
    name: str
    options: tuple[tuple[str, str], ...] = ()
    contents: str | None = None

    def __str__(self) -> str:
        more = [f"{name} {value}" for name, value in self.options]
        if self.contents:
            more.append(f"contents {self.contents[:_SHOWN_DIGITS]}")
        named = _NAMED.get(self.kind, "the built-in descriptor").format(self.name)
        return f"{named} ({', '.join(more)})" if more else named

    def may_be(self, other: Origin) -> bool:
        """Whether both make the same vectors, as far as can be told."""
        if (self.kind, self.options) != (other.kind, other.options):
            return False
        # A file may lie elsewhere on another machine: what it holds tells.
        if self.kind != MODEL_FILE and self.name != other.name:
            return False
        return self.contents == other.contents or None in (self.contents, other.contents)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the configuration of a run."""
        return {**asdict(self), "options": dict(self.options)}


def recorded_origins(dataset: fo.Dataset, brain_key: str) -> tuple[Origin, ...]:
    """What made the vectors of a brain run, as its configuration says.

    Returns:
        mostly one; two where stock FiftyOne's names a model and the field that it filled; none
        where it names neither
    """
    config = dataset.get_brain_info(brain_key).config
    record = getattr(config, RECORD, None)
    if record:
        options = tuple(record["options"].items())
        return (Origin(record["kind"], record["name"], options, record["contents"]),)
    found = []
    if model := getattr(config, "model", None):
        named = getattr(config, "model_kwargs", None) or {}
        options = tuple((name, str(value)) for name, value in sorted(named.items()))
        found.append(Origin(ZOO, model, options))
    if field := getattr(config, "embeddings_field", None):
        found.append(Origin(FIELD, field))
    return tuple(found)


def require_same_origin(dataset: fo.Dataset, brain_key: str, origin: Origin | None) -> bool:
    """Checks that vectors may be added to those of a brain run.

    Args:
        dataset: the dataset
        brain_key: the name of the run
        origin: what makes the new vectors; None if that is not known

    Returns:
        whether it is known that they may: an older run, or what stock FiftyOne made with a model
        that it had no name for, does not say what made its vectors

    Raises:
        NotAddable: if something else made those that the run has
    """
    known = recorded_origins(dataset, brain_key)
    if origin is None or not known:
        return False
    if not any(one.may_be(origin) for one in known):
        raise NotAddable(
            f"'{brain_key}' has vectors made by {known[0]}. Those that {origin} makes do not "
            "compare with them.",
            f"Choose {known[0]}, or compute '{brain_key}' again, as a whole.",
        )
    return True
