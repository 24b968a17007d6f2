"""``send_to_cvat``: sends images and their labels to annotators."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ..relabel.annotation import make_plan, push
from ..relabel.errors import RelabelError
from . import send_request
from .cvat_server import client_of, config_of
from .forms import as_form, show_error, show_notice

PREVIEW = "preview"


class SendToCvat(foo.Operator):
    """Sends images and their labels to annotators in CVAT, as a round.

    Parameters:
        what: ``selected``, ``tagged``, ``view``, ``saved_view`` or ``dataset``; by default the
            selected samples if there are any, else the current view
        tag: the tag, if ``what`` is ``tagged``
        saved_view: the name of the view, if ``what`` is ``saved_view``
        label_field: the field to annotate
        new_field: the name of a new field, if ``label_field`` is ``(new field)``
        classes: names of classes, by default those of the field
        attributes: names of attributes, by default all that can travel
        images_per_task: by default all images in one task
        images_per_job: by default all images of a task in one job
        assignees: user names, who get the jobs in turn
        key: the name of the round
        include_out: whether images that are out in another round are sent as well
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return foo.OperatorConfig(
            name="send_to_cvat",
            label="Send to CVAT",
            description="Send images and their labels to annotators in CVAT",
            icon="send",
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:  # noqa: ARG002
        """A button in the grid's toolbar."""
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(label="Send to CVAT", icon="send", prompt=True),
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form, which says what would be sent before the click."""
        inputs = types.Object()
        try:
            server = config_of(ctx).url
            send_request.ask(ctx, inputs)
            samples, request = send_request.read(ctx)
            plan = send_request.cached_plan(samples, request)
        except RelabelError as error:
            show_error(inputs, PREVIEW, error)
        else:
            show_notice(inputs, PREVIEW, f"{plan} It goes to {server}.")
        return as_form(inputs, "Send to CVAT", "Send")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Sends the round."""
        samples, request = send_request.read(ctx)
        client = client_of(ctx)
        plan = make_plan(samples, request)
        record = push(
            ctx.dataset,
            plan,
            client,
            lambda share, label: ctx.set_progress(progress=share, label=label),
        )
        jobs = sum(len(task.jobs) for task in record.tasks)
        ctx.ops.notify(f"Sent {record.images} images to CVAT", variant="success")
        return {
            "key": record.key,
            "images": record.images,
            "labels": record.labels,
            "jobs": jobs,
            "tasks": [
                {"id": task.id, "name": task.name, "url": client.task_url(task.id)}
                for task in record.tasks
            ],
            "left_out": dict(plan.out_elsewhere),
        }

    def resolve_output(self, ctx: Any) -> types.Property:
        """What was sent, with a link to each task."""
        result = ctx.results or {}
        outputs = types.Object()
        links = "\n".join(
            f"- [Open task {task['id']} in CVAT]({task['url']})"
            for task in result.get("tasks", ())
        )
        text = (
            f"**{result.get('key')}**: {result.get('images')} images, "
            f"{result.get('labels')} labels, {result.get('jobs')} jobs.\n\n{links}\n\n"
            "Open the **CVAT** panel beside the grid to watch it and to pull what is finished."
        )
        outputs.md(text, name="sent")
        return types.Property(outputs, view=types.View(label="Sent to CVAT"))
