"""The operations that are disturbed, and what each should lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import world

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _left(dataset: Any, name: str) -> bool:
    """Whether what an operation writes under a name is there."""
    dataset.reload()
    there = [
        *dataset.get_field_schema(),
        *dataset.list_brain_runs(),
        *dataset.list_evaluations(),
        *dataset.list_runs(),
        *dataset.list_saved_views(),
    ]
    return any(one == name or one.startswith(f"{name}_") for one in there)


@dataclass(frozen=True)
class Job:
    """An operation of a round, and what it should lead to.

    Args:
        operator: its operator's name
        params: takes a name that no other round has; what the operator is asked with
        outcome: takes the dataset, that name and the operation's result; what to compare
        uses_cluster: whether it works on a Ray cluster if there is one
        again: what it is asked with besides when its outcome may be there
        asks_where: whether its form asks where it is to run; the App asks for the others
        prepare: takes a dataset and the name; returns the dataset that it is to work on
        left: takes that and the name; whether a cancelled one has left something
        is_done: takes the same; whether its outcome is there and is not to be asked for again
        tidy: takes the same, at the end
    """

    operator: str
    params: Callable[[str], dict[str, Any]]
    outcome: Callable[[Any, str, dict[str, Any]], Any]
    uses_cluster: bool = True
    again: Mapping[str, Any] = field(default_factory=dict)
    asks_where: bool = True
    prepare: Callable[[Any, str], Any] = lambda dataset, _: dataset
    left: Callable[[Any, str], bool] = _left
    is_done: Callable[[Any, str], bool] = lambda *_: False
    tidy: Callable[[Any, str], None] = lambda *_: None


def _labels(dataset: Any, name: str, _: Any) -> Any:
    return [
        [
            (one.label, one.bounding_box, round(one.confidence, 5))
            for one in (found.detections if found else [])
        ]
        for found in dataset.values(name)
    ]


def _scores(dataset: Any, name: str, _: Any) -> Any:
    return [round(score, 6) for score in dataset.values(name)]


def _index(dataset: Any, name: str, _: Any) -> Any:
    embeddings, ids, _ = dataset.load_brain_results(name).get_embeddings()
    order = np.argsort(ids)
    return np.round(embeddings[order], 5).tolist()


def _chosen(dataset: Any, name: str, result: Any) -> Any:
    return [result["sample_ids"], sorted(dataset.load_saved_view(name).values("id"))]


def _laid_out(dataset: Any, name: str, _: Any) -> Any:
    found = dataset.load_brain_results(name)
    points = zip(found.sample_ids, np.round(found.points, 4).tolist(), strict=True)
    return sorted(points)


def _alike(dataset: Any, name: str, result: Any) -> Any:
    groups = sorted(sorted(group) for group in result["sample_ids"])
    return [groups, sorted(dataset.load_saved_view(name).values("id"))]


def _suspected(dataset: Any, name: str, result: Any) -> Any:
    return [result["sample_ids"], result["types"], dataset.load_run_view(name).values("id")]


def _score(dataset: Any, name: str, result: Any) -> Any:
    counts = [result[key] for key in ("map", "true_positives", "false_positives")]
    return [counts, dataset.values(f"{name}_tp")]


JOBS = (
    Job("apply_model", lambda name: world.model_params(label_field=name), _labels),
    Job("compute_uniqueness", lambda name: {"field": name, "embeddings": "descriptor"}, _scores),
    Job(
        "compute_similarity", lambda name: {"brain_key": name, "embeddings": "descriptor"}, _index
    ),
    Job(
        "select_unique",
        lambda name: {"name": name, "count": 9, "tag": "", "embeddings": "descriptor"},
        _chosen,
        again={"replace": True},
    ),
    Job(
        "select_for_active_learning",
        lambda name: {
            "name": name,
            "count": 9,
            "tag": "",
            "embeddings": "descriptor",
            "predictions": "found",
        },
        _chosen,
        again={"replace": True},
    ),
    Job(
        "compute_visualization",
        lambda name: {"brain_key": name, "embeddings": "descriptor", "method": "pca"},
        _laid_out,
        uses_cluster=False,
    ),
    Job(
        "find_duplicates",
        lambda name: {
            "name": name,
            "by": "vectors",
            "distance": 0.3,
            "tag": "",
            "embeddings": "descriptor",
        },
        _alike,
        uses_cluster=False,
        again={"replace": True},
    ),
    Job(
        "find_label_errors",
        lambda name: {"predictions": "found", "ground_truth": "truth", "key": name, "least": 0.0},
        _suspected,
        uses_cluster=False,
    ),
    Job(
        "evaluate_detections",
        lambda name: {"predictions": "found", "ground_truth": "truth", "eval_key": name},
        _score,
        uses_cluster=False,
    ),
)
