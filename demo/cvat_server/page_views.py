"""HTML of the pages. Everything from outside is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from .page_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .database import Row

_STATES = ("new", "in progress", "completed")
_DRAWN_AS_LINES = {"polygon": "polygon", "polyline": "polyline"}


def task_list(tasks: Iterable[Row]) -> str:
    """All tasks."""
    rows = "".join(
        f'<tr><td><a href="/tasks/{task["id"]}">{escape(task["name"])}</a></td>'
        f"<td>{escape(task['status'])}</td></tr>"
        for task in tasks
    )
    return _page("Tasks", f"<h1>Tasks</h1><table><tr><th>Task<th>Status</tr>{rows}</table>")


def task_page(task: Row, jobs: Iterable[Row]) -> str:
    """The jobs of one task."""
    rows = "".join(
        f'<tr><td><a href="/tasks/{task["id"]}/jobs/{job["id"]}">Job {job["id"]}</a></td>'
        f"<td>{job['start_frame'] + 1} to {job['stop_frame'] + 1}</td>"
        f"<td>{job['stage']}</td><td>{job['state']}</td>"
        f"<td>{escape(job['assignee'] or 'nobody')}</td></tr>"
        for job in jobs
    )
    name = escape(task["name"])
    head = "<tr><th>Job<th>Images<th>Stage<th>State<th>Assignee</tr>"
    body = f'<p><a href="/tasks">All tasks</a></p><h1>{name}</h1><table>{head}{rows}</table>'
    return _page(name, body)


def job_page(
    task: Row,
    job: Row,
    *,
    assignee: str | None,
    frames: Sequence[Row],
    shapes: Sequence[dict[str, Any]],
    labels: Sequence[Row],
) -> str:
    """The images of one job, their shapes, and the forms to change them."""
    name = escape(task["name"])
    about = (
        f"Stage: {job['stage']}. State: <strong>{job['state']}</strong>. "
        f"Assignee: {escape(assignee or 'nobody')}."
    )
    buttons = "".join(_state_button(state, job["state"]) for state in _STATES)
    parts = [
        f'<p><a href="/tasks/{task["id"]}">{name}</a></p><h1>Job {job["id"]} of {name}</h1>',
        f"<p>{about}</p><p>{buttons}</p>",
    ]
    for frame in frames:
        own = [shape for shape in shapes if shape["frame"] == frame["number"]]
        parts += [
            f'<h2 id="frame-{frame["number"]}">{escape(frame["name"])}</h2>',
            _drawing(frame, own, labels),
            _table(own, labels),
        ]
    return _page(f"Job {job['id']}", "".join(parts))


def _state_button(state: str, current: str) -> str:
    pressed = str(state == current).lower()
    attributes = f'name="state" value="{state}" aria-pressed="{pressed}"'
    return _form(f"<button {attributes}>{state.capitalize()}</button>")


def problem(text: str) -> str:
    """A page with one sentence."""
    return _page("CVAT stand-in", f'<h1>{escape(text)}</h1><p><a href="/tasks">All tasks</a></p>')


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        "<header>This is a stand-in for CVAT that comes with the demo. It is not CVAT.</header>"
        f"<main>{body}</main></body></html>"
    )


def _form(inner: str, place: str = "") -> str:
    """A form that sends to its own page; the browser stays at the place."""
    return f'<form method="post" action="#{place}">{inner}</form> '


def _drawing(frame: Row, shapes: Iterable[dict[str, Any]], labels: Sequence[Row]) -> str:
    width, height = frame["width"], frame["height"]
    drawn = "".join(_draw(shape, _label(shape, labels), max(width, height)) for shape in shapes)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{max(width, 480)}" role="img" '
        f'aria-label="{escape(frame["name"])}">'
        f'<image href="/tasks/{frame["task_id"]}/frames/{frame["number"]}" '
        f'width="{width}" height="{height}"/>{drawn}</svg>'
    )


def _draw(shape: dict[str, Any], label: Row | None, extent: int) -> str:
    points = shape["points"]
    if len(points) < 4:
        return ""
    xs, ys = points[::2], points[1::2]
    if shape["type"] == "mask":
        xs, ys = points[-4::2], points[-3::2]
    left, top = min(xs), min(ys)
    color = escape(label["color"] if label is not None else "#888888")
    style = f'fill="none" stroke="{color}" stroke-width="{extent / 250:.2f}"'
    tag = _DRAWN_AS_LINES.get(shape["type"])
    if tag:
        corners = " ".join(f"{x},{y}" for x, y in zip(xs, ys, strict=True))
        outline = f'<{tag} points="{corners}" {style}/>'
    else:
        size = f'width="{max(xs) - left}" height="{max(ys) - top}"'
        turn = ""
        if shape["rotation"]:
            middle = f"{(left + max(xs)) / 2} {(top + max(ys)) / 2}"
            turn = f' transform="rotate({shape["rotation"]} {middle})"'
        outline = f'<rect x="{left}" y="{top}" {size} {style}{turn}/>'
    text = f"{_name(label)} {shape['id']}"
    return (
        f'{outline}<text x="{left}" y="{max(top - extent / 150, extent / 45)}" fill="{color}" '
        f'font-size="{extent / 40:.2f}">{escape(text)}</text>'
    )


def _table(shapes: Sequence[dict[str, Any]], labels: Sequence[Row]) -> str:
    if not shapes:
        return "<p>Nothing is labeled here.</p>"
    rows = "".join(_row(shape, labels) for shape in shapes)
    return f'<table class="boxes"><tr><th>Shape<th>Label<th></tr>{rows}</table>'


def _row(shape: dict[str, Any], labels: Sequence[Row]) -> str:
    label = _label(shape, labels)
    color = escape(label["color"] if label is not None else "#888888")
    options = "".join(
        f'<option value="{one["id"]}"{" selected" if one["id"] == shape["label_id"] else ""}>'
        f"{escape(one['name'])}</option>"
        for one in labels
    )
    hidden = f'<input type="hidden" name="shape" value="{shape["id"]}">'
    what = f"{shape['type']} {shape['id']}"
    choice = f'<select name="label" aria-label="Label of {what}">{options}</select>'
    place = f"frame-{shape['frame']}"
    change = _form(f"{hidden}{choice} <button>Change</button>", place)
    delete = _form(f'{hidden}<button aria-label="Delete {what}">Delete</button>', place)
    swatch = f'<span class="swatch" style="background:{color}"></span>'
    return f"<tr><td>{swatch}{what}</td><td>{change}</td><td>{delete}</td></tr>"


def _label(shape: dict[str, Any], labels: Sequence[Row]) -> Row | None:
    return next((label for label in labels if label["id"] == shape["label_id"]), None)


def _name(label: Row | None) -> str:
    return "?" if label is None else str(label["name"])
