"""The FiftyOne run that an evaluation is: made, or replaced in one step.

A run whose results are replaced gets another document in place of its own, as when FiftyOne itself
evaluates again: its Model Evaluation panel keeps what it shows of a document for weeks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.constants as foc
import fiftyone.core.odm as foo
from bson import DBRef, ObjectId, json_util
from fiftyone.core.odm.runs import RunDocument
from fiftyone.core.view import DatasetView
from gridfs import GridFS

from ..errors import EvaluationError
from .kept import ORIGIN, run_documents, run_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection
    from fiftyone.utils.eval.coco import COCODetectionResults, COCOEvaluation

    Config = Any


def require_fields(dataset: fo.Dataset, eval_key: str, config: Config) -> None:
    """Checks that a run that is there may be replaced by one of some fields.

    Raises:
        EvaluationError: if it is of other fields, which a replaced run would leave marked
    """
    before = dataset.get_evaluation_info(eval_key).config
    ours = (config.pred_field, config.gt_field)
    if (before.pred_field, before.gt_field) != ours:
        raise EvaluationError(
            f"The evaluation '{eval_key}' compares {before.pred_field} with {before.gt_field}.",
            "Choose another name, or delete it first.",
        )


def begin_run(
    view: SampleCollection, eval_key: str, method: COCOEvaluation, *, dynamic: bool
) -> ObjectId:
    """Makes a run, unless there is one of the name.

    Args:
        view: the samples
        eval_key: the name of the run
        method: how it evaluates
        dynamic: whether what is written on labels is declared

    Returns:
        the id of the run's document
    """
    dataset = view._dataset  # noqa: SLF001
    ids = run_ids(dataset)
    if eval_key not in ids:
        method.register_run(view, eval_key)
        ids = run_ids(dataset)
    method.register_samples(view, eval_key, dynamic=dynamic)
    return ids[eval_key]


def stages_of(view: SampleCollection) -> tuple[str, ...]:
    """The stages of a view as FiftyOne keeps them; none of a dataset."""
    if not isinstance(view, DatasetView):
        return ()
    return tuple(json_util.dumps(one) for one in view._serialize(include_uuids=False))  # noqa: SLF001


def made_on(view: SampleCollection, config: Config) -> dict[str, Any]:
    """What the document of a run says that is made now, with some options, on some samples."""
    return {
        "version": foc.VERSION,
        "timestamp": datetime.now(UTC),
        "config": config.serialize(),
        "view_stages": list(stages_of(view)) if isinstance(view, DatasetView) else None,
    }


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
        **made_on(view, results.config),
        "results": file,
        "results_meta": dict(results.get_meta() or {}),
    }
    before = _replace(dataset, run_id, document)
    know_runs(dataset, eval_key)
    dataset._evaluation_cache.pop(eval_key, None)  # noqa: SLF001 - those of before
    if not dataset._has_sidebar_group(eval_key) or results.config.custom_metrics:  # noqa: SLF001
        method = results.backend
        method.add_fields_to_sidebar_group(
            view, eval_key, omit_fields=(results.config.pred_field, results.config.gt_field)
        )
    return before.get("results") if before else file


def _replace(
    dataset: fo.Dataset, run_id: ObjectId, values: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Puts a run with other values in place of one.

    Returns:
        the document as it was, or None if the run is gone
    """
    runs = foo.get_db_conn()["runs"]
    there = {"_id": {"$in": list(run_documents(dataset).values())}}
    before: dict[str, Any] | None = runs.find_one(
        {**there, "$or": [{"_id": run_id}, {ORIGIN: run_id}]}
    )
    if before is None:
        return None
    if not before.get("results"):  # nobody has seen it yet
        runs.update_one({"_id": before["_id"]}, {"$set": values})
        return before
    new = {**before, **values, "_id": ObjectId(), ORIGIN: run_id}
    runs.insert_one(new)
    replaced = _refer(dataset, before["_id"], new["_id"])
    if replaced:
        _keep_remarks(dataset, before["_id"], new["_id"])
    runs.delete_one({"_id": before["_id"] if replaced else new["_id"]})
    return before if replaced else None


def _refer(dataset: fo.Dataset, old: ObjectId, new: ObjectId) -> bool:
    """Has a dataset refer to another document of a run; False if it refers to neither."""
    datasets = foo.get_db_conn()["datasets"]
    of_dataset = {"_id": dataset._doc.id}  # noqa: SLF001 - the id has no public name
    while True:  # until nobody has renamed the run meanwhile
        runs = (datasets.find_one(of_dataset, {"evaluations": 1}) or {}).get("evaluations") or {}
        for key, ref in runs.items():
            is_dbref = isinstance(ref, DBRef)
            if (ref.id if is_dbref else ref) == old:
                place, now = f"evaluations.{key}", DBRef(ref.collection, new) if is_dbref else new
                update = {"$set": {place: now}}
                if datasets.update_one({**of_dataset, place: ref}, update).modified_count:
                    return True
                break
        else:
            return False


def _keep_remarks(dataset: fo.Dataset, old: ObjectId, new: ObjectId) -> None:
    """Keeps the status and the note that people gave a run in the Model Evaluation panel."""
    remarks = {
        "dataset_id": dataset._doc.id,  # noqa: SLF001
        "store_name": "model_evaluation_panel_builtin",
        "key": {"$in": ["statuses", "notes"]},
    }
    renamed = {"$rename": {f"value.{old}": f"value.{new}"}}
    foo.get_db_conn()["execution_store"].update_many(remarks, renamed)


def know_runs(dataset: fo.Dataset, eval_key: str) -> None:
    """Has a dataset know its evaluation runs as they are now, whoever has replaced them.

    Args:
        dataset: the dataset
        eval_key: the one whose values may have changed
    """
    known = dataset._doc.evaluations  # noqa: SLF001
    documents = run_documents(dataset)
    if known.keys() != documents.keys():
        dataset.reload()
        return
    for key, document in documents.items():
        run = known[key]
        if not isinstance(run, RunDocument) or run.id != document:
            run = RunDocument.objects(id=document).first()
            if run is None:  # the dataset refers to one that is gone: FiftyOne leaves it out, too
                continue
            # Nothing that is to be saved with the dataset: it is there.
            dict.__setitem__(known, key, run)
            dataset._evaluation_cache.pop(key, None)  # noqa: SLF001 - those of before
        elif key == eval_key:
            run.reload()
