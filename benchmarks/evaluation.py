"""Evaluation of detections: Relabel beside stock FiftyOne and faster-coco-eval.

    .venv/bin/python benchmarks/evaluation.py [--images 2000]

Images of about 7 boxes of ground truth and 9 predictions of ten classes. Both sides write what
they found on every label and keep an evaluation run; nobody holds the samples in memory. Reading
and matching alone is measured beside faster-coco-eval on arrays that are ready.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _measuring import faster, figure, measured

from demo.services import fiftyone_environment, link_plugin, mongod

CLASSES = [f"class {number}" for number in range(10)]
TRUTH, PREDICTED, TIMES, OF_BARE = 7, 9, 20, 2


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2000)
    images = parser.parse_args().images
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with tempfile.TemporaryDirectory(prefix="relabel-evaluation-") as name:
        folder = Path(name)
        with mongod(folder / "database") as uri:
            environment = fiftyone_environment(uri, folder / "home", link_plugin(folder / "p"))
            os.environ.update(environment)
            figures = evaluate(make_dataset(images))
    print(json.dumps(figures))


def make_dataset(images: int) -> Any:
    """A dataset without images: an evaluation looks at labels only."""
    import fiftyone as fo

    generator = np.random.default_rng(0)
    samples = []
    for number in range(images):
        count = generator.poisson(TRUTH)
        boxes = generator.uniform(0.02, 0.48, (count, 4))
        names = generator.integers(0, len(CLASSES), count)
        seen = generator.random(count) < 0.85
        found = boxes[seen] + generator.normal(0, 0.01, boxes[seen].shape).clip(-0.019, 0.019)
        more = generator.uniform(0.02, 0.48, (generator.poisson(PREDICTED - 0.85 * TRUTH), 4))
        others = generator.integers(0, len(CLASSES), len(more))
        predicted = np.concatenate((found, more))
        classes = np.concatenate((names[seen], others))
        confidences = generator.random(len(predicted))
        samples.append(
            fo.Sample(
                filepath=f"/{number}.png",
                ground_truth=detections(boxes, names, [None] * count),
                predictions=detections(predicted, classes, confidences.tolist()),
            )
        )
    dataset = fo.Dataset("evaluation")
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


def evaluate(dataset: Any) -> list[dict[str, Any]]:
    """Evaluates with each side."""
    from relabel.evaluation.detections import IOUS, evaluate_detections
    from relabel.evaluation.matching import match
    from relabel.evaluation.precision import precision_recall
    from relabel.evaluation.tables import read_detections

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


if __name__ == "__main__":
    main()
