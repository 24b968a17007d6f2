"""The queue of label errors beside three peers, on labels whose errors are known.

    .venv/bin/python benchmarks/label_errors.py [--seeds 5]

Every seed makes other images and other errors, 6 % of the labels of six kinds, and the demo's
detector looks at the images of the test side. Each method ranks suspects; what counts is the share
of right ones among the first 50, and the share of the errors among as many suspects as there are
errors. The peers: false positives above .8, the surest first; stock `compute_mistakenness`, with
its possible missing and possible spurious labels; the box scores of cleanlab's ObjectLab. At the
end people mend the images of our queue, and the model is scored on what that makes.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np
from _measuring import figure

from demo.services import fiftyone_environment, link_plugin, mongod

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.scoring import Suspect

FIRST, IMAGES, TOP, CONFIDENT, MAP_WITHIN = 51, 600, 50, 0.8, 0.005
FIELDS = ("predictions", "ground_truth")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=IMAGES)
    options = parser.parse_args()
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with tempfile.TemporaryDirectory(prefix="relabel-label-errors-") as name:
        folder = Path(name)
        with mongod(folder / "database") as uri:
            environment = fiftyone_environment(uri, folder / "home", link_plugin(folder / "p"))
            os.environ.update(environment)
            seeds = range(FIRST, FIRST + options.seeds)
            rounds = [measure(folder / str(seed), seed, options.images) for seed in seeds]
    print(json.dumps(figures(rounds)))


def measure(folder: Path, seed: int, images: int) -> dict[str, Any]:
    """What each method finds in the labels of a seed, and the score after mending ours."""
    from demo.dataset import DemoFiles
    from demo.label_errors import read_errors
    from demo.scoring import score_found

    view = predicted(folder, seed, images)
    names = {Path(path).name for path in view.values("filepath")}
    errors = [one for one in read_errors(DemoFiles(folder).errors) if one.file_name in names]
    found: dict[str, Any] = {}
    for name, method in METHODS.items():
        suspects = method(view)
        first = score_found(suspects[: len(errors)], errors)
        found[name] = {
            "precision": score_found(suspects[:TOP], errors).precision,
            "recall": first.recall,
            "by_kind": {
                kind: first.hit_by_kind.get(kind, 0) / total
                for kind, total in first.total_by_kind.items()
            },
        }
    return {"found": found, **mended(view, folder, errors)}


def predicted(folder: Path, seed: int, images: int) -> Any:
    """The test side of the demo's dataset, with predictions."""
    import fiftyone as fo

    from demo.dataset import build_dataset
    from demo.detector.evaluate import load_detector, predict_files

    dataset = build_dataset(f"label-errors-{seed}", folder, seed, images)
    view = dataset.match_tags("test")
    paths = view.values("filepath")
    by_name = predict_files(map(Path, paths), load_detector())
    view.set_values(
        "predictions",
        [
            fo.Detections(
                detections=[
                    fo.Detection(
                        label=one.label,
                        bounding_box=list(one.bounding_box),
                        confidence=one.confidence,
                    )
                    for one in by_name[Path(path).name]
                ]
            )
            for path in paths
        ],
    )
    return view


def our_queue(view: Any, **options: Any) -> list[Suspect]:
    """The queue of label errors, worst first."""
    from demo.scoring import Suspect
    from relabel.evaluation.label_errors.finding import find_label_errors

    names = dict(zip(view.values("id"), map(Path, view.values("filepath")), strict=True))
    queue = find_label_errors(view, *FIELDS, **options)
    return [Suspect(names[one.sample_id].name, one.box, one.label_id) for one in queue.errors]


def false_positives(view: Any) -> list[Suspect]:
    """Confident predictions that evaluation matched with nothing, the surest first."""
    from relabel.evaluation.detections import evaluate_detections
    from relabel.evaluation.false_positives import find_false_positives

    evaluate_detections(view, *FIELDS, eval_key="peer")
    found = find_false_positives(view, "peer", confidence=CONFIDENT).labels
    places = {one.id: (name, one.bounding_box) for name, one in labels_of(view, FIELDS[0])}
    return [suspect(*places[one.label_id]) for one in found]


def mistakenness(view: Any) -> list[Suspect]:
    """Stock's mistakenness of class or place; of missing labels the confidence, of spurious 1."""
    import fiftyone.brain as fob

    fob.compute_mistakenness(view, FIELDS[0], label_field=FIELDS[1], progress=False)
    ranked = []
    for image, one in labels_of(view, FIELDS[1]):
        names = ("mistakenness", "mistakenness_loc")
        scores = [one.get_attribute_value(score, default=None) for score in names]
        worst = max((score for score in scores if score is not None), default=0.0)
        sure = 1.0 if one.get_attribute_value("possible_spurious", default=False) else worst
        ranked.append((sure, suspect(image, one.bounding_box, one.id)))
    for name, one in labels_of(view, FIELDS[0]):
        if one.get_attribute_value("possible_missing", default=False):
            ranked.append((one.confidence, suspect(name, one.bounding_box)))
    return [found for _, found in sorted(ranked, key=lambda pair: -pair[0])]


def objectlab(view: Any) -> list[Suspect]:
    """Cleanlab's scores of boxes: overlooked, badly placed and swapped, the worst of all first."""
    from cleanlab.object_detection import rank

    from demo.truth import CLASSES

    labels, predictions, places, found = [], [], [], []
    for number, sample in enumerate(view.iter_samples()):
        name, truth = Path(sample.filepath).name, sample[FIELDS[1]].detections
        boxes = [corners(one) for one in truth]
        classes = np.array([CLASSES.index(one.label) for one in truth])
        labels.append({"bboxes": np.array(boxes).reshape(-1, 4), "labels": classes, "seg": number})
        by_class: list[list[list[float]]] = [[] for _ in CLASSES]
        of_class: list[list[Any]] = [[] for _ in CLASSES]
        for one in sample[FIELDS[0]].detections:
            by_class[CLASSES.index(one.label)].append([*corners(one), one.confidence])
            of_class[CLASSES.index(one.label)].append(suspect(name, one.bounding_box))
        predictions.append([np.array(boxes).reshape(-1, 5) for boxes in by_class])
        places.append([suspect(name, one.bounding_box, one.id) for one in truth])
        found.append([one for boxes in of_class for one in boxes])
    shaped = np.empty((len(predictions), len(CLASSES)), dtype=object)
    for number, boxes in enumerate(predictions):
        for kind, of_kind in enumerate(boxes):
            shaped[number, kind] = of_kind
    scores = [
        (rank.compute_swap_box_scores, places),
        (rank.compute_badloc_box_scores, places),
        (rank.compute_overlooked_box_scores, found),
    ]
    pooled = [
        (score, one)
        for score_of, subjects in scores
        for values, of_image in zip(
            score_of(labels=labels, predictions=list(shaped)), subjects, strict=True
        )
        for score, one in zip(values, of_image, strict=True)
        if not np.isnan(score)
    ]
    return list(dict.fromkeys(one for _, one in sorted(pooled, key=lambda pair: pair[0])))


METHODS: dict[str, Callable[[Any], list[Suspect]]] = {
    "ours": lambda view: our_queue(view, least=0.0),
    "false positives": false_positives,
    "mistakenness": mistakenness,
    "objectlab": objectlab,
}


def mended(view: Any, folder: Path, errors: list[Any]) -> dict[str, float]:
    """The score on wrong labels, on those that people have mended, and on true ones.

    People look at the images of our queue, whole, and mend what is wrong in them.
    """
    from demo.dataset import DemoFiles, dataset_labels
    from demo.detector.evaluate import coco_map
    from demo.truth import labels_by_image, read_truth

    queue = our_queue(view)
    looked_at = {one.file_name for one in queue}
    wrong = dataset_labels(view)
    truth = labels_by_image(read_truth(DemoFiles(folder).truth).images)
    sure = dict(zip(view.values("filepath"), view.values(FIELDS[0]), strict=True))
    predictions = {
        Path(path).name: list(detections.detections) for path, detections in sure.items()
    }
    score = {
        "wrong": coco_map(wrong, predictions)[0],
        "mended": coco_map(
            {name: (truth if name in looked_at else wrong)[name] for name in wrong}, predictions
        )[0],
        "true": coco_map({name: truth[name] for name in wrong}, predictions)[0],
    }
    return {**score, "queue": len(queue), "errors": len(errors), "images": len(looked_at)}


def labels_of(view: Any, field: str) -> list[tuple[str, Any]]:
    """The labels of a field, each with the name of its image."""
    paths, found = view.values(["filepath", field])
    return [
        (Path(path).name, one)
        for path, labels in zip(paths, found, strict=True)
        for one in labels.detections
    ]


def suspect(name: str, box: list[float], label_id: str | None = None) -> Suspect:
    """A label, or a place, that may be wrong."""
    from demo.scoring import Suspect

    return Suspect(name, tuple(box), label_id)


def corners(label: Any) -> list[float]:
    """Left, top, right, bottom."""
    left, top, width, height = label.bounding_box
    return [left, top, left + width, top + height]


def figures(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The means over the seeds: ours beside the best peer."""

    def over_seeds(method: str, what: str) -> float:
        return mean(one["found"][method][what] for one in rounds)

    lines = []
    for what, name in (
        ("precision", f"precision at {TOP}"),
        ("recall", "recall at the number of errors"),
    ):
        for peer in [method for method in METHODS if method != "ours"]:
            our, theirs = over_seeds("ours", what), over_seeds(peer, what)
            lines.append(figure(f"{name}, beside {peer}", our, theirs, "above", met=our > theirs))
    kinds = sorted({kind for one in rounds for kind in one["found"]["ours"]["by_kind"]})
    for kind in kinds:
        by_method = {
            method: mean(one["found"][method]["by_kind"].get(kind, 0.0) for one in rounds)
            for method in METHODS
        }
        our = by_method.pop("ours")
        best = max(by_method, key=lambda method: by_method[method])
        name = f"recall of {kind} at the number of errors, beside {best}"
        met = our >= by_method[best]
        lines.append(figure(name, our, by_method[best], "not below", met=met))
    gap = max(abs(one["mended"] - one["true"]) for one in rounds)
    lines.append(
        figure(
            "mAP mended to true, largest gap", gap, None, f"<= {MAP_WITHIN}", met=gap <= MAP_WITHIN
        )
        | {"ours": round(gap, 4)}
    )
    lines += [{"seed": FIRST + number, **one} for number, one in enumerate(rounds)]
    return lines


if __name__ == "__main__":
    main()
