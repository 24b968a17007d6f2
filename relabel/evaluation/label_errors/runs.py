"""The queue as a FiftyOne run.

The run is a custom one (``dataset.list_runs()``): Python without Relabel loads it, it goes along
when the dataset is renamed or cloned, and ``dataset.delete_run()`` deletes it; the marks on labels
are removed by :func:`delete_label_errors`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import EvaluationError
from .marks import clear_marks
from .queue import LabelError, LabelErrors, TypeSummary
from .suspicion import ErrorType

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

METHOD = "label_errors"
DEFAULT_KEY = "label_errors"


def store_label_errors(view: SampleCollection, queue: LabelErrors) -> None:
    """Keeps a queue as a run; one of that name is replaced."""
    config = view.init_run(
        method=METHOD, ground_truth=queue.ground_truth, predictions=queue.predictions
    )
    view.register_run(queue.key, config, overwrite=True)
    results = view.init_run_results(
        queue.key,
        errors=[asdict(error) for error in queue.errors],
        map_now=queue.map_now,
        summaries=[asdict(one) for one in queue.summaries],
    )
    view.save_run_results(queue.key, results)


def load_label_errors(dataset: fo.Dataset, key: str = DEFAULT_KEY) -> LabelErrors:
    """The queue of a run.

    Raises:
        EvaluationError: if there is no such run
    """
    require_queue(dataset, key)
    config = dataset.get_run_info(key).config
    results = dataset.load_run_results(key, load_view=False)
    return LabelErrors(
        key=key,
        ground_truth=config.ground_truth,
        predictions=config.predictions,
        errors=tuple(
            LabelError(**{**error, "type": ErrorType(error["type"]), "box": tuple(error["box"])})
            for error in results.errors
        ),
        map_now=results.map_now,
        summaries=tuple(
            TypeSummary(**{**one, "type": ErrorType(one["type"])}) for one in results.summaries
        ),
    )


def delete_label_errors(dataset: fo.Dataset, key: str = DEFAULT_KEY) -> None:
    """Deletes a queue, and removes every mark that it left on labels.

    Raises:
        EvaluationError: if there is no such run
    """
    require_queue(dataset, key)
    config = dataset.get_run_info(key).config
    clear_marks(dataset, (config.ground_truth, config.predictions))
    dataset.delete_run(key)


def label_error_runs(dataset: fo.Dataset) -> list[str]:
    """The names of the runs that hold a queue of label errors."""
    return [
        key for key in dataset.list_runs() if dataset.get_run_info(key).config.method == METHOD
    ]


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
        EvaluationError: if it is not an identifier, or is taken by something else
    """
    if not key or not key.isidentifier():
        raise EvaluationError(
            f"'{key or ''}' cannot name a queue.",
            "Use letters, digits and underscores, with a letter first, e.g. label_errors.",
        )
    if key in dataset.list_runs() and key not in label_error_runs(dataset):
        raise EvaluationError(f"'{key}' is a run of another kind.", "Choose another name.")
    return key
