"""What a CVAT server holds, as far as we use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

TAG = "tag"
"""The type of a label of a whole image."""


def by_id(items: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """What the server lists, in the order in which it was made."""
    return sorted(items or (), key=lambda item: item.get("id") or 0)


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


class JobType(StrEnum):
    """What a job is for."""

    ANNOTATION = "annotation"
    GROUND_TRUTH = "ground_truth"
    REPLICA = "consensus_replica"


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
    """A class that annotators can choose, with its attributes.

    Args:
        name: its name
        type: ``rectangle``, ``polygon``, ..., ``any``, or ``tag`` for whole images
        attributes: its attributes
        id: the server's id, or None before it has one
        sublabels: the nodes, if it is a skeleton
        svg: the picture of a skeleton
    """

    name: str
    type: str = "rectangle"
    attributes: tuple[AttributeSpec, ...] = ()
    id: int | None = None
    sublabels: tuple[LabelSpec, ...] = ()
    svg: str = ""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LabelSpec:
        """Reads the server's JSON."""
        return cls(
            name=data["name"],
            type=data["type"],
            attributes=tuple(AttributeSpec.from_json(item) for item in data["attributes"]),
            id=data["id"],
            sublabels=tuple(cls.from_json(item) for item in by_id(data.get("sublabels"))),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that creates it."""
        body: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "attributes": [attribute.to_json() for attribute in self.attributes],
        }
        if self.sublabels:
            body |= {"sublabels": [item.to_json() for item in self.sublabels], "svg": self.svg}
        return body


@dataclass(frozen=True)
class Job:
    """A piece of a task that one person works on.

    Args:
        id: its id
        task_id: the task
        type: one of :class:`JobType`
        stage: one of :class:`JobStage`
        state: one of :class:`JobState`
        assignee: the name of the person who has it, or None
        start_frame: the first of its frames
        stop_frame: the last of them
        frame_count: how many they are; a ground-truth job has only some of those between
        updated_at: when something in it was last changed
        parent_id: of a replica, the job that it is a replica of
    """

    id: int
    task_id: int
    type: str
    stage: str
    state: str
    assignee: str | None
    start_frame: int
    stop_frame: int
    frame_count: int
    updated_at: datetime
    parent_id: int | None = None

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
            frame_count=data["frame_count"],
            updated_at=datetime.fromisoformat(data["updated_date"]),
            parent_id=data.get("parent_job_id"),
        )


@dataclass(slots=True)
class Shape:
    """A drawn label, or a tag of a whole image, which the server keeps in a list of its own.

    Nobody changes one. It is not frozen because making it would take four times as long, and a
    pull makes one for each label.

    Args:
        type: ``rectangle``, ``polygon``, ..., or ``tag``
        frame: the frame of the task that it is on
        label_id: the server's id of its class
        points: its coordinates in pixels; of a rectangle left, top, right, bottom; none of a
            skeleton or a tag
        rotation: degrees, clockwise about its centre
        attributes: the server's id of each attribute -> its value as text
        id: the server's id, or None before it has one
        occluded: whether it is marked as occluded
        z_order: which of two overlapping shapes is on top
        group: the number of the group it belongs to, 0 for none
        source: who made it: ``manual``, ``auto``, ``semi-auto`` or ``file``
        outside: whether it is not to be seen, which nodes of skeletons can be
        elements: the nodes of a skeleton
        keyframe: whether it is not merely what CVAT draws between two keyframes of a track
        approximate: whether it lies between two keyframes where CVAT's editor may draw it slightly
            otherwise than we do
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
    outside: bool = False
    elements: tuple[Shape, ...] = ()
    keyframe: bool = True
    approximate: bool = False

    @property
    def of_track(self) -> bool:
        """Whether it is drawn from a track, whose id it has, negated."""
        return self.id is not None and self.id < 0

    @property
    def is_tag(self) -> bool:
        """Whether it is a tag."""
        return self.type == TAG

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Shape:
        """Reads the server's JSON."""
        elements = data.get("elements")
        return cls(
            type=data.get("type", TAG),
            frame=data["frame"],
            label_id=data["label_id"],
            points=tuple(map(float, data.get("points") or ())),
            rotation=float(data.get("rotation", 0.0)),
            attributes={item["spec_id"]: item["value"] for item in data["attributes"]},
            id=data.get("id"),
            occluded=data.get("occluded", False),
            z_order=data.get("z_order", 0),
            group=data.get("group", 0) or 0,
            source=data.get("source", "manual"),
            outside=data.get("outside", False),
            elements=tuple(map(cls.from_json, by_id(elements))) if elements else (),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that creates it."""
        body: dict[str, Any] = {
            "frame": self.frame,
            "label_id": self.label_id,
            "attributes": [
                {"spec_id": spec_id, "value": value} for spec_id, value in self.attributes.items()
            ],
            "group": self.group,
            "source": self.source,
        }
        if self.is_tag:
            return body
        body |= {
            "type": self.type,
            "rotation": self.rotation,
            "occluded": self.occluded,
            "outside": self.outside,
            "z_order": self.z_order,
        }
        if self.elements:
            body["elements"] = [element.to_json() for element in self.elements]
        else:
            body["points"] = list(self.points)
        return body
