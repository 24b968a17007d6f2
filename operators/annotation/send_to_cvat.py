"""``send_to_cvat``: sends images and their labels to annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import make_plan, part_of, push, say_remarks, sent_before
from ...relabel.errors import RelabelError
from ..forms import as_form, show_error, show_notice
from ..running.cancelling import begin_writing, operation_of, takes_back
from ..running.long_operator import LongOperator
from ..running.pace import paced
from ..running.streaming import run_with_progress
from . import send_request
from .cvat_server import client_of, config_of
from .send_suspects import read_suspects

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone.operators as foo
    from fiftyone.operators.message import GeneratedMessage

    from ...relabel.cvat import CvatClient
    from ..running.streaming import Report

PREVIEW = "preview"
_MOST_LINKS = 10


class SendToCvat(LongOperator):
    """Sends images and their labels to annotators in CVAT, as a round.

    Parameters:
        what: ``selected``, ``tagged``, ``view``, ``saved_view`` or ``dataset``; by default the
            selected samples if there are any, else the current view
        tag: the tag, if ``what`` is ``tagged``
        saved_view: the name of the view, if ``what`` is ``saved_view``
        label_field: the field to annotate
        new_field: the name of a new field, if ``label_field`` is ``(new field)``
        classes: names of classes, by default those of the field
        which_attributes: ``all`` that can travel, ``some``, or ``none``; by default ``some`` if
            ``attributes`` names some, else ``all``
        attributes: names of attributes, for ``some``
        outlined: whether instance masks are sent as polygons
        more_fields: fields that go along, with all of their classes and attributes
        images_per_task, images_per_job, assignees, weights, task_assignees, reviewers, project,
            extend_project, overlap, validation, validation_share, honeypots_per_job,
            consensus_replicas, media_field, group_slices, seconds_per_image, seconds_per_label:
            as in :class:`Request`
        start_from: a field whose labels annotators find on images that have none
        media: ``send`` (default), ``share`` or ``storage``; where CVAT finds the images itself,
            ``media_root`` is the local folder, ``media_folder`` the one there, ``storage_id`` the
            id of the cloud storage
        key: the name of the round
        include_out: whether images that are out in another round are sent as well
        show_suspects: whether annotators are shown what a queue of label errors suspects: that
            whose saved view is sent, else the last; by default of such a view, and of what is
            tagged ``requires_annotation``
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return self.long_config(
            "send_to_cvat",
            "Send to CVAT",
            description="Send images and their labels to annotators in CVAT",
            icon="send",
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
            if sent_before(ctx.dataset, request.key, operation_of(ctx)):
                plan = f"The round {request.key!r} is out."
            else:
                plan = str(send_request.cached_plan(samples, request))
        except RelabelError as error:
            show_error(inputs, PREVIEW, error)
        else:
            show_notice(inputs, PREVIEW, f"{plan} It goes to {server}.")
        return as_form(inputs, "Send to CVAT", "Send")

    def resolve_delegation(self, ctx: Any) -> None:
        """Names a round that is to be sent later, so that each attempt sends the same one."""
        if ctx.requesting_delegated_execution:
            send_request.name_round(ctx)

    def execute(self, ctx: Any) -> Any:
        """Sends the round; see :func:`run_with_progress`."""
        return run_with_progress(
            self,
            ctx,
            lambda report: _send(ctx, report),
            lambda result: self.show(ctx, result),
            cancellable=True,
        )

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:
        """Opens the panel in which the round is watched."""
        return [
            ctx.ops.notify(f"Sent {result['images']:,} images to CVAT", variant="success"),
            ctx.ops.open_panel("cvat_status", layout="horizontal"),
        ]

    def resolve_output(self, ctx: Any) -> types.Property:
        """What was sent, with a link to each task."""
        outputs = types.Object()
        result = ctx.results
        if not result:  # the App asks even though the stream has shown it
            return types.Property(outputs)
        tasks = result["tasks"]
        links = [f"- [Open task {t['id']} in CVAT]({t['url']})" for t in tasks[:_MOST_LINKS]]
        if len(tasks) > _MOST_LINKS:
            links.append(f"- and {len(tasks) - _MOST_LINKS:,} more")
        suspects = f"\n\n{result['suspects']}" if result.get("suspects") else ""
        text = (
            f"**{result['key']}**: {result['images']:,} images, {result['labels']:,} labels, "
            f"{result['jobs']:,} jobs.\n\n"
            + "\n".join(links)
            + suspects
            + "\n\nWatch it in the **CVAT** panel, and pull there what is finished."
        )
        outputs.md(text, name="sent")
        return types.Property(outputs, view=types.View(label="Sent to CVAT"))


def _send(ctx: Any, report: Report) -> dict[str, Any]:
    report = paced(report)
    samples, request = send_request.read(ctx)
    client = client_of(ctx)
    remarks = read_suspects(ctx)
    record, left_out = sent_before(ctx.dataset, request.key, operation_of(ctx)), {}
    if record is None:
        plan = make_plan(samples, request)
        left_out = dict(plan.out_elsewhere)
        takes_back(ctx)
        record = push(
            ctx.dataset,
            plan,
            client,
            part_of(report, 0, 0.9),
            remarks,
            before_out=lambda: begin_writing(ctx),
        )
    return {
        "key": record.key,
        "images": record.images,
        "labels": record.labels,
        "jobs": sum(len(task.jobs) for task in record.tasks),
        "tasks": [
            {"id": task.id, "name": task.name, "url": client.task_url(task.id)}
            for task in record.tasks
        ],
        "left_out": left_out,
        "suspects": _show_suspects(ctx, record.key, client, report) if remarks else "",
    }


def _show_suspects(ctx: Any, key: str, client: CvatClient, report: Report) -> str:
    """Tells annotators what the queue suspects; says how that went.

    The round is out by then, and stays out whatever becomes of this.
    """
    tell = part_of(report, 0.9, 1)
    try:
        shown = say_remarks(
            ctx.dataset,
            key,
            client,
            lambda done, total: tell(done / total, f"Showed {done:,} of {total:,} suspicions"),
        )
    except RelabelError as error:
        return f"Not all suspicions could be shown: {error} Resume the round, then they are."
    count = shown.added + shown.present
    return f"{count:,} suspicions are shown to annotators." if count else ""
