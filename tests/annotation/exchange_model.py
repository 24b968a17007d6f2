"""What an exchange with CVAT must come to: each side of one image, as dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field

from relabel.annotation import ConflictPolicy


@dataclass(frozen=True)
class Value:
    """What both sides can hold of a label."""

    box: tuple[int, int, int, int]
    label: str = "cat"
    crowd: bool = False


@dataclass(frozen=True)
class Here:
    """A label in FiftyOne."""

    value: Value
    tags: tuple[str, ...] = ()


@dataclass
class There:
    """A shape in CVAT; ``label_id`` is the label that the model takes it for."""

    value: Value
    label_id: str | None
    carried: str


@dataclass
class Undo:
    """What a pull overwrote."""

    before: dict[str, Here]
    after: dict[str, Here]
    base: dict[str, Value]
    documents: bytes
    generation: int


@dataclass
class Model:
    here: dict[str, Here] = field(default_factory=dict)
    there: dict[int, There] = field(default_factory=dict)
    base: dict[str, Value] = field(default_factory=dict)
    undos: list[Undo] = field(default_factory=list)

    def shape_of(self, label_id):
        return next((shape for shape in self.there.values() if shape.label_id == label_id), None)

    def pull(self, policy):
        """Merges; returns whether something was settled, and the shapes that are new."""
        settled = False
        for label_id, sent in list(self.base.items()):
            shape = self.shape_of(label_id)
            after = shape.value if shape else None
            here = self.here.get(label_id)
            now = here.value if here else None
            if after == now:
                self._agree(label_id, after)
            if after in (sent, now):
                continue
            conflict = now != sent
            if conflict and policy is ConflictPolicy.SKIP:
                continue
            settled = True
            self._agree(label_id, after)
            if conflict and policy is ConflictPolicy.FIFTYONE_WINS:
                continue
            if after is None:
                self.here.pop(label_id, None)
            else:
                self.here[label_id] = Here(after, here.tags if here else ())
        new = [shape for shape in self.there.values() if shape.label_id is None]
        return settled or bool(new), new

    def _agree(self, label_id, value):
        if value is None:
            self.base.pop(label_id, None)
        else:
            self.base[label_id] = value

    def undo(self):
        """Takes the last pull back; returns whether every label could be."""
        saved = self.undos.pop()
        left = set()
        for label_id in saved.before.keys() | saved.after.keys():
            was, became = saved.before.get(label_id), saved.after.get(label_id)
            if was == became:
                continue
            if self.here.get(label_id) not in (was, became):
                left.add(label_id)
            elif was is None:
                self.here.pop(label_id, None)
            else:
                self.here[label_id] = was
        kept = {label_id: value for label_id, value in self.base.items() if label_id in left}
        back = {label_id: value for label_id, value in saved.base.items() if label_id not in left}
        self.base = back | kept
        for shape in self.there.values():
            if shape.label_id not in self.base:
                shape.label_id = None
        return not left
