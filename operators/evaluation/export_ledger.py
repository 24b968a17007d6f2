"""Writes the ledger as a CSV file: what fixing labels did to the score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.errors import RelabelError
from ...relabel.evaluation.errors import EvaluationError
from ...relabel.evaluation.ledger.entries import count_entries, load_entries
from ...relabel.evaluation.ledger.table import as_csv
from ...relabel.evaluation.storing.kept import kept_scores
from ..forms import as_form, as_output, errors_shown, field_choice

ALL = "all"


class CannotWriteFile(RelabelError):
    """A file cannot be written where it was asked for."""


class ExportLedger(foo.Operator):
    """Writes the score before and after every round to a CSV file."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return foo.OperatorConfig(
            name="export_ledger",
            label="Export improvement",
            description="Writes the score before and after every round to a CSV file",
            icon="download",
            dynamic=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the evaluation and the file."""
        inputs = types.Object()
        keys = [ALL, *(score.eval_key for score in kept_scores(ctx.dataset))]
        field_choice(inputs, "eval_key", keys, label="Evaluation", default=ALL)
        inputs.str(
            "path",
            default=_default_path(ctx),
            label="File",
            description="On the machine of the App's server. The Improvement panel saves it on "
            "this one.",
        )
        inputs.bool("overwrite", default=False, label="Replace the file if it is there")
        with errors_shown(inputs, "problem"):
            _require_entries(ctx)
            _require_path(ctx)
        return as_form(inputs, "Export improvement", "Export")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Writes the file.

        Raises:
            EvaluationError: if there is nothing to write
            CannotWriteFile: if it cannot be written there, or is there already
        """
        entries = load_entries(ctx.dataset, _require_entries(ctx))
        path = _require_path(ctx)
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(as_csv(entries), encoding="utf-8", newline="")
            part.replace(path)
        except OSError as error:
            raise CannotWriteFile(
                f"'{path}' could not be written: {error.strerror}.", "Choose another file."
            ) from error
        return {"path": str(path), "entries": len(entries)}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """Says what was written where."""
        return as_output("Exported", [("path", "File"), ("entries", "Entries")])


def _default_path(ctx: Any) -> str:
    name = ctx.dataset.name.replace("/", "-")
    return str(Path.home() / f"{name}-improvement.csv")


def _require_entries(ctx: Any) -> str | None:
    """The evaluation whose entries are wanted, None for all; there are some.

    Raises:
        EvaluationError: if there are none
    """
    wanted = ctx.params.get("eval_key", ALL)
    eval_key = None if wanted == ALL else wanted
    if not count_entries(ctx.dataset, eval_key):
        none = "No evaluation was" if eval_key is None else f"The evaluation '{eval_key}' was not"
        raise EvaluationError(
            f"{none} measured again after a round.",
            "Evaluate detections, then pull a round: it is measured again by itself.",
        )
    return eval_key


def _require_path(ctx: Any) -> Path:
    path = Path(ctx.params.get("path") or _default_path(ctx)).expanduser()
    if not path.parent.is_dir():
        raise CannotWriteFile(f"There is no folder '{path.parent}'.", "Choose another one.")
    if path.is_dir():
        raise CannotWriteFile(f"'{path}' is a folder.", "Add the name of a file.")
    if path.exists() and not ctx.params.get("overwrite"):
        raise CannotWriteFile(
            f"'{path}' is there already.", "Choose another file, or tick to replace it."
        )
    return path
