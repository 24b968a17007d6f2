"""The queue as a FiftyOne run.

The run is a custom one (``dataset.list_runs()``): Python without Relabel loads it, it goes along
when the dataset is renamed or cloned, and ``dataset.delete_run()`` deletes it; the marks on labels
are removed by :func:`delete_label_errors`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import json_util

from ..errors import EvaluationError
from ..storing.kept import run_documents
from ..storing.stored_run import delete_unused, made_on, write_results
from .marks import clear_marks
from .queue import LabelError, LabelErrors, TypeSummary
from .saved_view import delete_queue_view, require_free_view
from .suspicion import ErrorType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.runs import RunResults

METHOD = "label_errors"
DEFAULT_KEY = "label_errors"
REPLACED = "replaced"
"""In what became of a suspicion: that its queue was replaced since."""


def store_label_errors(view: SampleCollection, queue: LabelErrors) -> None:
    """Keeps a queue as a run; one of that name is replaced.

    What became of the suspicions of that one stays: rounds do not come again.
    """
    dataset = view._dataset  # noqa: SLF001 - no public name
    known = queue.key in label_error_runs(dataset)
    outcomes = load_outcomes(dataset, queue.key) if known else []
    outcomes = [{**row, REPLACED: True} for row in outcomes]
    config = view.init_run(
        method=METHOD, ground_truth=queue.ground_truth, predictions=queue.predictions
    )
    if not known:
        view.register_run(queue.key, config)
    results = view.init_run_results(
        queue.key,
        errors=[asdict(error) for error in queue.errors],
        map_now=queue.map_now,
        summaries=[asdict(one) for one in queue.summaries],
        outcomes=outcomes,
    )
    _save(dataset, queue.key, results, **made_on(view, config))


def load_label_errors(dataset: fo.Dataset, key: str = DEFAULT_KEY) -> LabelErrors:
    """The queue of a run.

    Raises:
        EvaluationError: if there is no such run
    """
    require_queue(dataset, key)
    return read_queue(dataset, key)


def read_queue(dataset: fo.Dataset, key: str) -> LabelErrors:
    """The queue of one of the :func:`label_error_runs`.

    It is empty if a process was killed before the run had any results.
    """
    config = dataset.get_run_info(key).config
    results = dataset.load_run_results(key, load_view=False)
    return LabelErrors(
        key=key,
        ground_truth=config.ground_truth,
        predictions=config.predictions,
        errors=tuple(
            LabelError(**{**error, "type": ErrorType(error["type"]), "box": tuple(error["box"])})
            for error in getattr(results, "errors", ())
        ),
        map_now=getattr(results, "map_now", None),
        summaries=tuple(
            TypeSummary(**{**one, "type": ErrorType(one["type"])})
            for one in getattr(results, "summaries", ())
        ),
    )


def load_outcomes(dataset: fo.Dataset, key: str) -> list[dict[str, Any]]:
    """What became of suspicions, those of queues that this one replaced included.

    Returns:
        of each the ``round``, ``pull``, ``sample_id``, ``label_id``, ``type`` and ``verdict``; and
        :data:`REPLACED` of queues that this one replaced
    """
    results = dataset.load_run_results(key, load_view=False)
    rows = [dict(row) for row in getattr(results, "outcomes", ())]
    if all("type" in row for row in rows):
        return rows
    types = {_subject(error): error["type"] for error in results.errors}  # of before they had one
    return [{**row, "type": types[row["sample_id"], row["label_id"]]} for row in rows]


def store_outcomes(dataset: fo.Dataset, key: str, rows: Sequence[dict[str, Any]]) -> None:
    """Keeps what became of suspicions, in place of what was kept before."""
    results = dataset.load_run_results(key, load_view=False)
    results.outcomes = list(rows)
    _save(dataset, key, results)


def _save(dataset: fo.Dataset, key: str, results: RunResults, **values: Any) -> None:
    """Gives a run its results, and other values, in one step: it has those of before until then.

    FiftyOne would delete those first, and with them, in a process that is killed, all outcomes.
    """
    run = dataset._doc.runs[key]  # noqa: SLF001 - no public name
    file = write_results(json_util.dumps(results.serialize()).encode())
    update = {"$set": {**values, "results": file}}
    before = foo.get_db_conn()["runs"].find_one_and_update({"_id": run.id}, update)
    delete_unused(before.get("results") if before else file)
    run.reload()
    dataset._run_cache[key] = results  # noqa: SLF001 - as FiftyOne itself does


def _subject(error: Mapping[str, Any]) -> tuple[str, str | None]:
    return error["sample_id"], error["label_id"] or error["prediction_id"]


def delete_label_errors(dataset: fo.Dataset, key: str = DEFAULT_KEY) -> None:
    """Deletes a queue and its saved view, and removes every mark that it left on labels.

    Raises:
        EvaluationError: if there is no such run
    """
    require_queue(dataset, key)
    config = dataset.get_run_info(key).config
    clear_marks(dataset, (config.ground_truth, config.predictions))
    delete_queue_view(dataset, key)
    dataset.delete_run(key)


def label_error_runs(dataset: fo.Dataset) -> list[str]:
    """The names of the runs that hold a queue of label errors, the one made last at the end.

    The dataset knows them then as they are now: another process may have replaced their results.
    """
    known = dataset._doc.runs  # noqa: SLF001 - no public name
    if {key: run.id for key, run in known.items()} != run_documents(dataset, "runs"):
        dataset.reload()
    keys = [
        key for key in dataset.list_runs() if dataset.get_run_info(key).config.method == METHOD
    ]
    for key in keys:
        dataset._doc.runs[key].reload()  # noqa: SLF001
        dataset._run_cache.pop(key, None)  # noqa: SLF001
    return sorted(keys, key=lambda key: dataset.get_run_info(key).timestamp)


def require_queue(dataset: fo.Dataset, key: str) -> None:
    """Checks that there is a queue.

    Raises:
        EvaluationError: if there is none of that name
    """
    known = label_error_runs(dataset)
    if key not in known:
        advice = f"Choose one of: {', '.join(known)}." if known else "Find label errors first."
        raise EvaluationError(f"There is no queue '{key}'.", advice)


def require_run_key(dataset: fo.Dataset, key: str | None) -> str:
    """Checks that a queue may have a name.

    Raises:
        EvaluationError: if it is not an identifier, or is taken by something else, be it a saved
            view
    """
    if not key or not key.isidentifier():
        raise EvaluationError(
            f"'{key or ''}' cannot name a queue.",
            "Use letters, digits and underscores, with a letter first, e.g. label_errors.",
        )
    if key in dataset.list_runs() and key not in label_error_runs(dataset):
        raise EvaluationError(f"'{key}' is a run of another kind.", "Choose another name.")
    require_free_view(dataset, key)
    return key
