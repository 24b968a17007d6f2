"""Projects, which tasks share their classes with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .errors import CvatNotFound, ProjectConflict, UnknownProject
from .models import InputType, LabelSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .models import AttributeSpec
    from .transport import Transport

ANY = "any"
"""The type of a class of which shapes of every type can be drawn."""

_APPENDABLE = {InputType.SELECT, InputType.RADIO}


@dataclass(frozen=True)
class Project:
    """A project.

    Args:
        id: its id
        name: its name, which other projects may have as well
        tracker: the text of ours that it was made with
        tasks: how many tasks are in it
    """

    id: int
    name: str
    tracker: str
    tasks: int

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Project:
        """Reads the server's JSON."""
        return cls(data["id"], data["name"], data["bug_tracker"] or "", data["tasks"]["count"])


class Projects:
    """The projects of a server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find(self, name: str, tracker: str = "") -> Project | None:
        """Finds a project.

        Args:
            name: its name, or ``#12`` for the one with that id
            tracker: of several projects of that name, the text of ours that the wanted one has;
                the oldest if several have it

        Returns:
            the project, or None if there is none of that name

        Raises:
            UnknownProject: if there is none with that id, or several of that name
        """
        if name.startswith("#"):
            return self._by_id(name)
        found = self._named(name)
        mine = [project for project in found if tracker and project.tracker == tracker]
        if len(found) > 1 and not mine:
            ids = ", ".join(f"#{project.id}" for project in found)
            raise UnknownProject(
                f"There are {len(found)} projects named {name!r}.",
                f"Name one of them by its id: {ids}.",
            )
        return next(iter(mine or found), None)

    def made_with(self, name: str, tracker: str) -> list[Project]:
        """The projects of a name that carry a text of ours: several if an answer was lost."""
        return [project for project in self._named(name) if project.tracker == tracker]

    def _named(self, name: str) -> list[Project]:
        listed = self._transport.pages("/api/projects", name=name)
        return [Project.from_json(item) for item in listed if item["name"] == name]

    def _by_id(self, name: str) -> Project:
        number = name[1:].strip()
        if number.isdecimal():
            try:
                return Project.from_json(self._transport.get(f"/api/projects/{number}"))
            except CvatNotFound as error:
                raise UnknownProject(
                    f"There is no project {name}.", "Look for its id in CVAT."
                ) from error
        raise UnknownProject(f"{name!r} is no id of a project.", "Write it like #12.")

    def create(self, name: str, labels: Iterable[LabelSpec], *, tracker: str = "") -> Project:
        """Makes a project.

        Args:
            name: its name
            labels: the classes that annotators of its tasks can choose
            tracker: a text of ours, by which it is recognised
        """
        body = {
            "name": name,
            "labels": [label.to_json() for label in labels],
            "bug_tracker": tracker,
        }
        return Project.from_json(self._transport.send_json("POST", "/api/projects", body))

    def labels(self, project_id: int) -> list[LabelSpec]:
        """The classes of a project with their ids."""
        listed = self._transport.pages("/api/labels", project_id=project_id)
        return [LabelSpec.from_json(item) for item in listed]

    def add_labels(self, project_id: int, missing: Sequence[LabelSpec]) -> None:
        """Adds what :func:`missing_labels` has found. What the project has stays as it is."""
        if missing:
            body = {"labels": [_addition(label) for label in missing]}
            self._transport.send_json("PATCH", f"/api/projects/{project_id}", body)

    def delete_if_empty(self, project: Project) -> bool:
        """Deletes a project unless there is a task in it: CVAT would delete its tasks as well.

        Returns:
            whether it is gone
        """
        path = f"/api/projects/{project.id}"
        try:
            if Project.from_json(self._transport.get(path)).tasks:
                return False
            self._transport.request("DELETE", path)
        except CvatNotFound:
            pass  # somebody else has deleted it
        return True


def missing_labels(present: Iterable[LabelSpec], wanted: Iterable[LabelSpec]) -> list[LabelSpec]:
    """What a project lacks.

    Args:
        present: its classes, with their ids
        wanted: the classes that a task needs

    Returns:
        the classes that it lacks; and of those that it has, those of which it lacks attributes or
        choices, with only these

    Raises:
        ProjectConflict: if it has a class or an attribute of the same name and another type
    """
    known = {label.name: label for label in present}
    missing = []
    for label in wanted:
        if label.name not in known:
            missing.append(label)
            continue
        _check_type(known[label.name], label)
        attributes = _missing_attributes(known[label.name], label)
        if attributes:
            missing.append(replace(known[label.name], attributes=attributes))
    return missing


def describe_missing(missing: Iterable[LabelSpec]) -> list[str]:
    """The same in words, such as ``cat`` for a class and ``cat.age`` for an attribute of one."""
    return [
        text
        for label in missing
        for text in (
            [label.name]
            if label.id is None
            else [f"{label.name}.{attribute.name}" for attribute in label.attributes]
        )
    ]


def _check_type(present: LabelSpec, wanted: LabelSpec) -> None:
    nodes = [[node.name for node in label.sublabels] for label in (present, wanted)]
    if present.type not in {ANY, wanted.type} or nodes[0] != nodes[1]:
        raise ProjectConflict(
            f"The class {wanted.name!r} of the project is for shapes of type {present.type}, not "
            f"{wanted.type}, or its skeleton is another one.",
            "Choose another project, or rename the class.",
        )


def _missing_attributes(present: LabelSpec, wanted: LabelSpec) -> tuple[AttributeSpec, ...]:
    known = {attribute.name: attribute for attribute in present.attributes}
    missing = []
    for attribute in wanted.attributes:
        there = known.get(attribute.name)
        if there is None:
            missing.append(attribute)
            continue
        if there.input_type != attribute.input_type:
            raise ProjectConflict(
                f"The attribute {attribute.name!r} of the class {wanted.name!r} is a "
                f"{there.input_type} in the project, not a {attribute.input_type}.",
                "Choose another project, or rename the attribute.",
            )
        more = [value for value in attribute.values if value not in there.values]
        if more and attribute.input_type in _APPENDABLE:
            missing.append(replace(there, values=(*there.values, *more)))
    return tuple(missing)


def _addition(label: LabelSpec) -> dict[str, Any]:
    """The JSON that adds a class, or attributes and choices to one that is there."""
    if label.id is None:
        return label.to_json()
    attributes = [
        attribute.to_json() | ({} if attribute.id is None else {"id": attribute.id})
        for attribute in label.attributes
    ]
    return {"id": label.id, "attributes": attributes}
