"""Evaluation of detections: Relabel beside stock FiftyOne and faster-coco-eval.

    .venv/bin/python benchmarks/evaluation.py [--only written|again|memory]

- ``written``: 2,000 images of about 7 boxes of ground truth and 9 predictions of ten classes. Both
  sides write what they found on every label and keep an evaluation run; nobody holds the samples
  in memory. Reading and matching alone is measured beside faster-coco-eval on arrays that are
  ready
- ``again``: 5,000 such images, evaluated; then 50 of them are changed and all are evaluated again
  under the same key: as after a pull, which knows what it has written, and as on a click, which
  looks at the labels of all. The peer is our own evaluation of all
- ``memory``: 5,000 images with 100 predictions each, the largest number that COCO counts
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _measuring import at_most, faster, figure, measured

from demo.services import fiftyone_environment, link_plugin, mongod

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = [f"class {number}" for number in range(10)]
TRUTH, PREDICTED, TIMES, OF_BARE = 7, 9, 20, 2
IMAGES, MANY, MOST_PREDICTIONS, MOST_MB = 2_000, 5_000, 100, 1_000
CHANGED, TURNS, OF_ALL = 50, 3, 0.05


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS)
    only = parser.parse_args().only
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with tempfile.TemporaryDirectory(prefix="relabel-evaluation-") as name:
        folder = Path(name)
        with mongod(folder / "database") as uri:
            environment = fiftyone_environment(uri, folder / "home", link_plugin(folder / "p"))
            os.environ.update(environment)
            parts = [only] if only else PARTS
            figures = [one for part in parts for one in PARTS[part]()]
    print(json.dumps(figures))


def make_dataset(images: int, predicted: int | None = None) -> Any:
    """A dataset without images: an evaluation looks at labels only.

    Args:
        images: how many samples
        predicted: how many predictions each has; None for some 9
    """
    import fiftyone as fo

    generator = np.random.default_rng(0)
    samples = []
    for number in range(images):
        count = generator.poisson(TRUTH)
        boxes = generator.uniform(0.02, 0.48, (count, 4))
        names = generator.integers(0, len(CLASSES), count)
        seen = generator.random(count) < 0.85
        found = boxes[seen] + generator.normal(0, 0.01, boxes[seen].shape).clip(-0.019, 0.019)
        wanted = generator.poisson(PREDICTED - 0.85 * TRUTH)
        more = generator.uniform(
            0.02, 0.48, (max(0, predicted - len(found)) if predicted else wanted, 4)
        )
        others = generator.integers(0, len(CLASSES), len(more))
        shown = np.concatenate((found, more))
        classes = np.concatenate((names[seen], others))
        confidences = generator.random(len(shown))
        samples.append(
            fo.Sample(
                filepath=f"/{number}.png",
                ground_truth=detections(boxes, names, [None] * count),
                predictions=detections(shown, classes, confidences.tolist()),
            )
        )
    dataset = fo.Dataset()
    dataset.add_samples(samples, progress=False)
    return dataset


def detections(boxes: Any, classes: Any, confidences: list[float | None]) -> Any:
    """Boxes as labels."""
    import fiftyone as fo

    return fo.Detections(
        detections=[
            fo.Detection(label=CLASSES[number], bounding_box=box.tolist(), confidence=confidence)
            for box, number, confidence in zip(boxes, classes, confidences, strict=True)
        ]
    )


def evaluate_written() -> list[dict[str, Any]]:
    """Evaluates with each side."""
    from relabel.evaluation.detections import evaluate_detections
    from relabel.evaluation.matching.matching import match
    from relabel.evaluation.matching.options import IOUS
    from relabel.evaluation.matching.tables import read_detections
    from relabel.evaluation.scoring.precision import precision_recall

    dataset = make_dataset(IMAGES)
    fields = ("predictions", "ground_truth")
    with measured() as ours:
        score = evaluate_detections(dataset, *fields, eval_key="ours").score
    with measured() as reading:
        _, (found, truth) = read_detections(dataset, fields)
        matches = match(found, truth, IOUS, classwise=True)
        precision_recall(found, truth, matches, CLASSES)
    with measured() as bare:
        bare_map = bare_average(found, truth)
    with measured() as stock:
        results = dataset.evaluate_detections(
            "predictions", gt_field="ground_truth", eval_key="stock", compute_mAP=True
        )
    agree = abs(score.map - results.mAP()) < 1e-9 and abs(score.map - bare_map) < 1e-9
    return [
        faster("evaluate, written", ours["seconds"], stock["seconds"], TIMES),
        figure(
            "read and match, seconds, beside faster-coco-eval on ready arrays",
            reading["seconds"],
            bare["seconds"],
            f"ratio <= {OF_BARE}",
            met=reading["seconds"] <= OF_BARE * bare["seconds"],
        ),
        figure("mAP", score.map, results.mAP(), "equal to 1e-9, faster-coco-eval too", met=agree),
    ]


def evaluate_again() -> list[dict[str, Any]]:
    """Evaluates all images, and again when some have changed; both several times, the best."""
    import fiftyone as fo

    from relabel.evaluation.detections import evaluate_detections

    dataset = make_dataset(MANY)
    fields = ("predictions", "ground_truth")
    full: list[float] = []
    again: dict[str, list[float]] = {"after a pull": [], "on a click": []}
    for turn in range(TURNS):
        with measured() as one:
            evaluate_detections(dataset, *fields, eval_key=f"full_{turn}")
        full.append(one["seconds"])
        for occasion, seconds in again.items():
            predicted = dataset.match(fo.ViewField("predictions.detections").length() > 0)
            changed = predicted.take(CHANGED, seed=turn)
            move_a_box(changed)
            written = changed.values("id") if occasion == "after a pull" else None
            with measured() as one:
                score = evaluate_detections(
                    dataset, *fields, eval_key=f"full_{turn}", written=written
                ).score
            seconds.append(one["seconds"])
            if score.matched != CHANGED:
                raise RuntimeError(f"{score.matched} images were matched again, not {CHANGED}.")
    return [
        figure(
            f"evaluate again {occasion}, {CHANGED} of {MANY} images changed, seconds, beside all",
            min(seconds),
            min(full),
            f"ratio <= {OF_ALL}",
            met=min(seconds) <= OF_ALL * min(full),
        )
        for occasion, seconds in again.items()
    ]


def move_a_box(view: Any) -> None:
    """Moves a prediction of each image, of which each has one."""
    for sample in view.iter_samples(autosave=True):
        label = sample.predictions.detections[0]
        left, *others = label.bounding_box
        label.bounding_box = [left + 0.001, *others]


def evaluate_memory() -> list[dict[str, Any]]:
    """Evaluates as many predictions as COCO counts."""
    from relabel.evaluation.detections import evaluate_detections

    dataset = make_dataset(MANY, MOST_PREDICTIONS)
    with measured() as ours:
        evaluate_detections(dataset, "predictions", "ground_truth", eval_key="many")
    name = f"evaluate {MANY} images with {MOST_PREDICTIONS} predictions each, extra memory in MB"
    return [at_most(name, ours["memory_mb"], None, MOST_MB)]


def bare_average(found: Any, truth: Any) -> float:
    """The mean average precision by faster-coco-eval, from arrays."""
    from faster_coco_eval import COCO
    from faster_coco_eval import COCOeval_faster as COCOeval

    number = {name: index for index, name in enumerate(CLASSES)}
    sets = []
    for labels in (truth, found):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": int(image)} for image in np.union1d(found.image, truth.image)],
            "categories": [{"id": index, "name": name} for name, index in number.items()],
            "annotations": [
                {
                    "id": row + 1,
                    "image_id": int(labels.image[row]),
                    "category_id": number[labels.label[row]],
                    "bbox": labels.box[row].tolist(),
                    "area": float(labels.box[row, 2] * labels.box[row, 3]),
                    "iscrowd": 0,
                    "score": float(labels.confidence[row]),
                }
                for row in range(len(labels))
            ],
        }
        with contextlib.redirect_stdout(io.StringIO()):
            coco.createIndex()
        sets.append(coco)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(*sets, iouType="bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    return float(precision[precision > -1].mean())


PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "written": evaluate_written,
    "again": evaluate_again,
    "memory": evaluate_memory,
}


if __name__ == "__main__":
    main()
