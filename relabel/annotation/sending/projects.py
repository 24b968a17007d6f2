"""The project of a round: found or made before its tasks, removed only while it is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...cvat import describe_missing, missing_labels
from ..comparing.naming import label_specs
from ..errors import ProjectLacksClasses
from ..record.round import project_tracker

if TYPE_CHECKING:
    from ...cvat import CvatClient, LabelSpec, Project
    from ..record.request import Request
    from ..record.round import Round

_NAMED = 10


def project_additions(request: Request, client: CvatClient) -> list[str]:
    """What a round would add to a project that exists; changes nothing.

    Args:
        request: what is asked for
        client: the server

    Returns:
        the names of classes, and of attributes as ``class.attribute``

    Raises:
        UnknownProject: if there is none with that id, or several of that name
        ProjectConflict: if it has a class or an attribute of the same name and another type
    """
    project = client.projects.find(request.project) if request.project else None
    return describe_missing(_missing(request, client, project)) if project else []


def check_project(request: Request, client: CvatClient) -> None:
    """Holds that the tasks of a round can be made in its project.

    Raises:
        ProjectLacksClasses: if something would have to be added to it, and may not be
        UnknownProject: if there is none with that id, or several of that name
        ProjectConflict: if it has a class or an attribute of the same name and another type
    """
    _check_additions(request, project_additions(request, client))


def ensure_project(record: Round, request: Request, client: CvatClient) -> int:
    """Finds or makes the project of a round; its id, or 0 if the round has none.

    One that an interrupted push has made is found again by what it carries.
    """
    if not request.project:
        return 0
    tracker = project_tracker(record)
    project = client.projects.find(request.project, tracker=tracker)
    if project is None:
        specs = label_specs(request.fields)
        return client.projects.create(request.project, specs, tracker=tracker).id
    missing = _missing(request, client, project)
    _check_additions(request, describe_missing(missing))
    client.projects.add_labels(project.id, missing)
    return project.id


def discard_project(record: Round, client: CvatClient, *, keep: int = 0) -> None:
    """Deletes the project that a round has made, if there is no task in it.

    Args:
        record: the round
        client: the server
        keep: the id of the one that the round goes on with. There is another if the server made
            it late, after we had asked again
    """
    if record.request is None or not record.request.project:
        return
    delete_made_projects(record.request.project, project_tracker(record), client, keep=keep)


def delete_made_projects(name: str, tracker: str, client: CvatClient, *, keep: int) -> None:
    """Deletes the empty projects of a name that carry a text of ours, but one."""
    for project in client.projects.made_with(name, tracker):
        if project.id != keep:
            client.projects.delete_if_empty(project)


def _missing(request: Request, client: CvatClient, project: Project) -> list[LabelSpec]:
    return missing_labels(client.projects.labels(project.id), label_specs(request.fields))


def _check_additions(request: Request, additions: list[str]) -> None:
    if not additions or request.extend_project:
        return
    named = ", ".join(additions[:_NAMED])
    more = f" and {len(additions) - _NAMED} more" if len(additions) > _NAMED else ""
    raise ProjectLacksClasses(
        f"The project {request.project!r} lacks {named}{more}.",
        "Allow that they are added to it, or choose another project.",
    )
