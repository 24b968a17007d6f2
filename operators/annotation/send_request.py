"""The form of ``send_to_cvat``: asks, and reads what was answered.

It is worked out at every keystroke, so what costs something is remembered for some seconds. The
plain case is small: what is seldom asked for is behind a switch.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache, cached

from ...relabel.annotation import Request, list_rounds, make_plan, version_of
from ..finding import REMEMBERED_SECONDS
from ..forms import is_folded
from .send_labels import ask_labels, ask_more_fields, read_labels
from .send_media import ask_media, read_media
from .send_suspects import ask_suspects
from .send_team import ask_more_of_team, ask_team, read_team
from .send_what import ask_what, read_samples

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.operators import types

    from ...relabel.annotation import Plan


def ask(ctx: Any, inputs: types.Object) -> None:
    """Adds the questions to a form, in the user's order, prefilled."""
    ask_what(ctx, inputs)
    ask_labels(ctx, inputs)
    ask_team(inputs)
    inputs.str("key", label="Round", default=suggest_key(ctx.dataset))
    ask_suspects(ctx, inputs)
    inputs.bool("more", default=False, label="More options")
    if ctx.params.get("more"):
        _ask_more(ctx, inputs)


def read(ctx: Any) -> tuple[fo.SampleCollection, Request]:
    """Reads what was answered; what was not has its default.

    Raises:
        RelabelError: if an answer cannot be
    """
    params = ctx.params
    request = Request(
        key=params.get("key") or suggest_key(ctx.dataset),
        fields=read_labels(ctx),
        include_out=bool(params.get("include_out")) and not is_folded(ctx, "more"),
        **read_team(ctx),
        **read_media(ctx),
    )
    return read_samples(ctx), request


def name_round(ctx: Any) -> None:
    """Notes in the answers what the round is called, if they do not say."""
    params = ctx.request_params.setdefault("params", {})
    params["key"] = params.get("key") or suggest_key(ctx.dataset)


def suggest_key(dataset: fo.Dataset) -> str:
    """A name for a round that is still free."""
    taken = set(dataset.list_annotation_runs()) | {record.key for record in list_rounds(dataset)}
    base = f"fix_labels_{datetime.now(UTC):%Y_%m_%d}"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key


def cached_plan(samples: fo.SampleCollection, request: Request) -> Plan:
    """The plan for a form, remembered for some seconds."""
    return _plan(samples, request, version_of(samples))


@cached(
    TTLCache(64, REMEMBERED_SECONDS),
    key=lambda _, request, version: (repr(request), version),
    lock=threading.Lock(),
)
def _plan(samples: fo.SampleCollection, request: Request, version: str) -> Plan:  # noqa: ARG001
    return make_plan(samples, request)


def _ask_more(ctx: Any, inputs: types.Object) -> None:
    ask_more_fields(ctx, inputs)
    ask_more_of_team(ctx, inputs)
    ask_media(ctx, inputs)
    inputs.bool(
        "include_out",
        label="Also send images that are out in another round",
        default=False,
    )
