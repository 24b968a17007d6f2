"""The FiftyOne run that an evaluation is: made, or replaced in one step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.constants as foc
import fiftyone.core.odm as foo
from bson import DBRef, json_util
from fiftyone.core.view import DatasetView
from gridfs import GridFS

from .errors import EvaluationError
from .kept import run_ids

if TYPE_CHECKING:
    import fiftyone as fo
    from bson import ObjectId
    from fiftyone.core.collections import SampleCollection
    from fiftyone.utils.eval.coco import COCODetectionResults, COCOEvaluation

    Config = Any


def require_fields(dataset: fo.Dataset, eval_key: str, config: Config) -> None:
    """Checks that a run may be replaced by one of some fields.

    Raises:
        EvaluationError: if it is of other fields, which a replaced run would leave marked
    """
    if eval_key not in run_ids(dataset):
        return
    before = dataset.get_evaluation_info(eval_key).config
    ours = (config.pred_field, config.gt_field)
    if (before.pred_field, before.gt_field) != ours:
        raise EvaluationError(
            f"The evaluation '{eval_key}' compares {before.pred_field} with {before.gt_field}.",
            "Choose another name, or delete it first.",
        )


def begin_run(view: SampleCollection, eval_key: str, method: COCOEvaluation) -> ObjectId:
    """Makes a run, unless there is one of the name.

    Returns:
        the id of the run's document
    """
    dataset = view._dataset  # noqa: SLF001
    if eval_key not in run_ids(dataset):
        method.register_run(view, eval_key)
    method.register_samples(view, eval_key)
    return run_ids(dataset)[eval_key]


def stages_of(view: SampleCollection) -> tuple[str, ...]:
    """The stages of a view as FiftyOne keeps them; none of a dataset."""
    if not isinstance(view, DatasetView):
        return ()
    return tuple(json_util.dumps(one) for one in view._serialize(include_uuids=False))  # noqa: SLF001


def write_results(text: bytes) -> ObjectId:
    """Writes results as a file, which is nobody's yet.

    Args:
        text: the results as JSON

    Returns:
        the file
    """
    file: ObjectId = GridFS(foo.get_db_conn()).put(text, content_type="application/json")
    return file


def delete_unused(file: ObjectId | None) -> None:
    """Deletes a file of results, unless a run holds it."""
    database = foo.get_db_conn()
    if file and not database["runs"].find_one({"results": file}, {"_id": 1}):
        GridFS(database).delete(file)


def save_run(
    view: SampleCollection,
    eval_key: str,
    run_id: ObjectId,
    results: COCODetectionResults,
    file: ObjectId,
) -> ObjectId | None:
    """Gives a run its results, and says what they are of. They are never missing meanwhile.

    Args:
        view: the samples
        eval_key: the name of the run
        run_id: the run
        results: its results; their matches may be missing
        file: the whole results

    Returns:
        the file that is nobody's any more: that of the results before, if there were any; the new
        one if the run is gone
    """
    dataset = view._dataset  # noqa: SLF001
    document = {
        "version": foc.VERSION,
        "timestamp": datetime.now(UTC),
        "config": results.config.serialize(),
        "view_stages": list(stages_of(view)) if isinstance(view, DatasetView) else None,
        "results": file,
        "results_meta": dict(results.get_meta() or {}),
    }
    runs = foo.get_db_conn()["runs"]
    before = runs.find_one_and_update({"_id": run_id}, {"$set": document})
    _reload(dataset, eval_key, run_id)
    dataset._evaluation_cache.pop(eval_key, None)  # noqa: SLF001 - those of before
    if not dataset._has_sidebar_group(eval_key) or results.config.custom_metrics:  # noqa: SLF001
        method = results.backend
        method.add_fields_to_sidebar_group(
            view, eval_key, omit_fields=(results.config.pred_field, results.config.gt_field)
        )
    return before.get("results") if before else file


def _reload(dataset: fo.Dataset, eval_key: str, run_id: ObjectId) -> None:
    """Reads what was written of a run; all of a dataset that does not know the run yet."""
    run = dataset._doc.evaluations.get(eval_key)  # noqa: SLF001
    if run is None or run.id != run_id or isinstance(run, DBRef):
        dataset.reload()
    else:
        run.reload()
