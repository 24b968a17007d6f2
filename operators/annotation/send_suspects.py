"""The send form's question whether annotators are shown which labels are probably wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...relabel.annotation import Remark
from ...relabel.evaluation.label_errors.runs import label_error_runs
from ...relabel.evaluation.label_errors.settling import open_suspicions
from .send_labels import chosen_fields
from .send_what import is_queued_work, saved_view_of

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.operators import types


def ask_suspects(ctx: Any, inputs: types.Object) -> None:
    """Adds the question to the form, if labels that are sent have a queue of label errors."""
    queue = _queue(ctx)
    if queue:
        inputs.bool(
            "show_suspects",
            default=_by_default(ctx, queue),
            label=f"Show annotators what the queue {queue} suspects",
        )


def read_suspects(ctx: Any) -> list[Remark]:
    """What annotators are to be told."""
    queue = _queue(ctx)
    if queue and ctx.params.get("show_suspects", _by_default(ctx, queue)):
        return suspects_of(ctx.dataset, queue)
    return []


def suspects_of(dataset: fo.Dataset, queue: str) -> list[Remark]:
    """What annotators are to be told of the suspicions of a queue that are not settled."""
    return [
        Remark(error.sample_id, error.box, error.question)
        for error in open_suspicions(dataset, queue)
    ]


def _queue(ctx: Any) -> str | None:
    """Of labels that are sent: the queue whose saved view is sent, else the one made last."""
    fields = chosen_fields(ctx)
    queues = [
        key
        for key in label_error_runs(ctx.dataset)
        if ctx.dataset.get_run_info(key).config.ground_truth in fields
    ]
    view = saved_view_of(ctx)
    return view if view in queues else queues[-1] if queues else None


def _by_default(ctx: Any, queue: str) -> bool:
    """Whether they are shown if the answers do not say: where what was suspected is sent."""
    return saved_view_of(ctx) == queue or is_queued_work(ctx)
