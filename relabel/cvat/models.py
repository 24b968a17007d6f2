"""What a CVAT server holds, as far as we use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """How far the work on a job is."""

    NEW = "new"
    IN_PROGRESS = "in progress"
    COMPLETED = "completed"
    REJECTED = "rejected"


class JobStage(StrEnum):
    """What kind of work a job is in."""

    ANNOTATION = "annotation"
    VALIDATION = "validation"
    ACCEPTANCE = "acceptance"


class InputType(StrEnum):
    """How an annotator enters an attribute."""

    TEXT = "text"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    SELECT = "select"
    RADIO = "radio"


@dataclass(frozen=True)
class User:
    """A person with an account."""

    id: int
    username: str

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> User:
        """Reads the server's JSON."""
        return cls(id=data["id"], username=data["username"])


@dataclass(frozen=True)
class ServerInfo:
    """What a server says about itself."""

    url: str
    version: str


@dataclass(frozen=True)
class AttributeSpec:
    """An attribute that labels of one class have.

    Args:
        name: the attribute's name
        input_type: how it is entered
        values: the choices of a select or radio; minimum, maximum and step of a number
        default: the value of a new shape, as text
        id: the server's id, or None before it has one
    """

    name: str
    input_type: InputType
    values: tuple[str, ...] = ()
    default: str = ""
    id: int | None = None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AttributeSpec:
        """Reads the server's JSON."""
        return cls(
            name=data["name"],
            input_type=InputType(data["input_type"]),
            values=tuple(data["values"]),
            default=data["default_value"],
            id=data["id"],
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that creates it. Mutable, so that stock FiftyOne and tracks can use it."""
        return {
            "name": self.name,
            "mutable": True,
            "input_type": self.input_type.value,
            "default_value": self.default,
            "values": list(self.values),
        }


@dataclass(frozen=True)
class LabelSpec:
    """A class that annotators can choose, with its attributes."""

    name: str
    type: str = "rectangle"
    attributes: tuple[AttributeSpec, ...] = ()
    id: int | None = None

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LabelSpec:
        """Reads the server's JSON."""
        return cls(
            name=data["name"],
            type=data["type"],
            attributes=tuple(AttributeSpec.from_json(item) for item in data["attributes"]),
            id=data["id"],
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that creates it."""
        return {
            "name": self.name,
            "type": self.type,
            "attributes": [attribute.to_json() for attribute in self.attributes],
        }


@dataclass(frozen=True)
class Job:
    """A piece of a task that one person works on."""

    id: int
    task_id: int
    type: str
    stage: str
    state: str
    assignee: str | None
    start_frame: int
    stop_frame: int
    updated_at: datetime

    @property
    def frame_count(self) -> int:
        """The number of frames, both ends included."""
        return self.stop_frame - self.start_frame + 1

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Job:
        """Reads the server's JSON."""
        assignee = data["assignee"]
        return cls(
            id=data["id"],
            task_id=data["task_id"],
            type=data.get("type", "annotation"),
            stage=data["stage"],
            state=data["state"],
            assignee=assignee["username"] if assignee else None,
            start_frame=data["start_frame"],
            stop_frame=data["stop_frame"],
            updated_at=datetime.fromisoformat(data["updated_date"]),
        )


@dataclass(frozen=True)
class Shape:
    """A drawn label.

    Args:
        type: ``rectangle``, ``polygon``, ...
        frame: the frame of the task that it is on
        label_id: the server's id of its class
        points: its coordinates in pixels; of a rectangle left, top, right, bottom
        rotation: degrees, clockwise about its centre
        attributes: the server's id of each attribute -> its value as text
        id: the server's id, or None before it has one
        occluded: whether it is marked as occluded
        z_order: which of two overlapping shapes is on top
        group: the number of the group it belongs to, 0 for none
        source: who made it: ``manual``, ``auto``, ``semi-auto`` or ``file``
    """

    type: str
    frame: int
    label_id: int
    points: tuple[float, ...]
    rotation: float = 0.0
    attributes: dict[int, str] = field(default_factory=dict)
    id: int | None = None
    occluded: bool = False
    z_order: int = 0
    group: int = 0
    source: str = "manual"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Shape:
        """Reads the server's JSON."""
        return cls(
            type=data["type"],
            frame=data["frame"],
            label_id=data["label_id"],
            points=tuple(data["points"]),
            rotation=data.get("rotation", 0.0),
            attributes={item["spec_id"]: item["value"] for item in data["attributes"]},
            id=data.get("id"),
            occluded=data.get("occluded", False),
            z_order=data.get("z_order", 0),
            group=data.get("group", 0) or 0,
            source=data.get("source", "manual"),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that creates it."""
        return {
            "type": self.type,
            "frame": self.frame,
            "label_id": self.label_id,
            "points": list(self.points),
            "rotation": self.rotation,
            "attributes": [
                {"spec_id": spec_id, "value": value} for spec_id, value in self.attributes.items()
            ],
            "occluded": self.occluded,
            "z_order": self.z_order,
            "group": self.group,
            "source": self.source,
        }


@dataclass(frozen=True)
class Annotations:
    """Everything that is drawn in a task or a job.

    Args:
        shapes: the drawn labels
        tags: how many labels of whole images there are
        tracks: how many labels over time there are
    """

    shapes: tuple[Shape, ...]
    tags: int = 0
    tracks: int = 0

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Annotations:
        """Reads the server's JSON."""
        return cls(
            shapes=tuple(Shape.from_json(item) for item in data["shapes"]),
            tags=len(data.get("tags", ())),
            tracks=len(data.get("tracks", ())),
        )
