"""Measures the detector on the demo's images: mAP, calibration, and what it says of errors.

python -m demo.detector.evaluate
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from demo.dataset import ERROR_SHARE, IMAGES, SEED, DemoFiles, write_images
from demo.detector.export import SAVED_MODEL
from demo.label_errors import inject_errors
from demo.scoring import Suspect, score_fixed, score_found
from demo.truth import CLASSES, ImageTruth, Label, iou

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from demo.label_errors import LabelError
    from demo.truth import Box

BATCH = 8
RIGHT_IOU = 0.5
CONFIDENT = 0.8
BANDS = (0.02, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Prediction:
    """One detection; the box is left, top, width, height, relative to the image."""

    label: str
    bounding_box: Box
    confidence: float


def load_detector(directory: Path = SAVED_MODEL) -> Callable[[np.ndarray], dict]:
    """The SavedModel as a function of uint8 RGB [B, H, W, 3]."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(directory))
    signature = loaded.signatures["serving_default"]

    def detect(images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = signature(input_tensor=tf.constant(images))
        return {name: value.numpy() for name, value in outputs.items()}

    # A signature does not keep what it came from alive.
    detect.loaded = loaded
    return detect


def predictions_of(outputs: Mapping[str, np.ndarray]) -> list[list[Prediction]]:
    """What a detector with the signature of the TF2 Detection Zoo says, image by image."""
    found = []
    for number, count in enumerate(outputs["num_detections"].astype(int)):
        boxes = outputs["detection_boxes"][number, :count].astype(float)
        classes = outputs["detection_classes"][number, :count].astype(int)
        scores = outputs["detection_scores"][number, :count]
        found.append(
            [
                Prediction(CLASSES[name - 1], (x0, y0, x1 - x0, y1 - y0), float(score))
                for (y0, x0, y1, x1), name, score in zip(boxes, classes, scores, strict=True)
            ]
        )
    return found


def predict_files(paths: Iterable[Path], detect: Callable) -> dict[str, list[Prediction]]:
    """Predictions for image files of one size, by file name."""
    paths = list(paths)
    found = {}
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        images = np.stack([cv2.imread(str(path))[..., ::-1] for path in batch])
        predictions = predictions_of(detect(images))
        found.update(zip((path.name for path in batch), predictions, strict=True))
    return found


def coco_map(
    labels: Mapping[str, Iterable[Label]],
    predictions: Mapping[str, Iterable[Prediction]],
    size: tuple[int, int] = (640, 480),
) -> tuple[float, float, float]:
    """The mAP at IoU .5 to .95, AP50 and AP75, by pycocotools; crowds as COCO treats them."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    names = sorted(labels)
    annotations = [
        _annotation(names.index(name), one, size) | {"iscrowd": int(one.iscrowd)}
        for name in names
        for one in labels[name]
    ]
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    results = [
        _annotation(names.index(name), one, size) | {"score": one.confidence}
        for name in names
        for one in predictions.get(name, ())
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": number} for number in range(len(names))],
            "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES)],
            "annotations": annotations,
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return tuple(float(value) for value in evaluation.stats[:3])


def _annotation(image: int, one: Label | Prediction, size: tuple[int, int]) -> dict:
    left, top, width, height = np.multiply(one.bounding_box, (*size, *size)).tolist()
    return {
        "image_id": image,
        "category_id": CLASSES.index(one.label),
        "bbox": [left, top, width, height],
        "area": width * height,
    }


def match(labels: Iterable[Label], predictions: Iterable[Prediction]) -> list[bool | None]:
    """Whether each prediction, best first, is right; None where it lies on a heap.

    Right: a label of its class, not yet taken, with an IoU of at least .5.
    """
    singles = [label for label in labels if not label.iscrowd]
    heaps = [label for label in labels if label.iscrowd]
    verdicts: list[bool | None] = []
    for one in sorted(predictions, key=lambda prediction: -prediction.confidence):
        fitting = [
            label
            for label in singles
            if label.label == one.label and iou(label.bounding_box, one.bounding_box) >= RIGHT_IOU
        ]
        if fitting:
            singles.remove(max(fitting, key=lambda fit: iou(fit.bounding_box, one.bounding_box)))
            verdicts.append(True)
        else:
            verdicts.append(None if any(_inside(one, heap) for heap in heaps) else False)
    return verdicts


def _inside(one: Prediction, heap: Label) -> bool:
    """Whether at least half of a prediction lies on a heap of its class."""
    left, top, width, height = one.bounding_box
    heap_left, heap_top, heap_width, heap_height = heap.bounding_box
    wide = min(left + width, heap_left + heap_width) - max(left, heap_left)
    high = min(top + height, heap_top + heap_height) - max(top, heap_top)
    return (
        heap.label == one.label
        and min(wide, high) > 0
        and wide * high >= RIGHT_IOU * width * height
    )


def judged(
    labels: Mapping[str, Iterable[Label]], predictions: Mapping[str, list[Prediction]]
) -> list[tuple[str, Prediction, bool]]:
    """Every prediction that is not on a heap, with its image and whether it is right."""
    return [
        (name, one, verdict)
        for name, found in labels.items()
        for one, verdict in zip(
            sorted(predictions[name], key=lambda prediction: -prediction.confidence),
            match(found, predictions[name]),
            strict=True,
        )
        if verdict is not None
    ]


def suspects_of(
    labels: Mapping[str, Iterable[Label]], predictions: Mapping[str, list[Prediction]]
) -> list[Suspect]:
    """The confident predictions that the labels say are wrong."""
    return [
        Suspect(name, one.bounding_box)
        for name, one, right in judged(labels, predictions)
        if not right and one.confidence > CONFIDENT
    ]


def report(images: Iterable[ImageTruth], predictions: Mapping[str, list[Prediction]]) -> str:
    """The figures of one side of the dataset, as a table of Markdown."""
    truth = {image.file_name: image.objects for image in images}
    lines = ["mAP {:.3f}, AP50 {:.3f}, AP75 {:.3f}".format(*coco_map(truth, predictions)), ""]
    lines += ["| confidence | detections | mean confidence | right |", "|---|---|---|---|"]
    verdicts = [(one.confidence, right) for _, one, right in judged(truth, predictions)]
    for low, high in itertools.pairwise(BANDS):
        band = [(score, right) for score, right in verdicts if low < score <= high]
        if band:
            scores, right = np.mean(band, axis=0)
            lines.append(f"| {low} - {high} | {len(band)} | {scores:.2f} | {right:.2f} |")
    confident = [right for score, right in verdicts if score > CONFIDENT]
    labelled = sum(not label.iscrowd for found in truth.values() for label in found)
    lines += [
        "",
        f"confidence > {CONFIDENT}: precision {np.mean(confident):.3f}",
        f"and recall {sum(confident) / labelled:.3f}",
    ]
    return "\n".join(lines)


def report_errors(
    images: Iterable[ImageTruth],
    labels: Mapping[str, Iterable[Label]],
    predictions: Mapping[str, list[Prediction]],
    errors: Iterable[LabelError],
) -> str:
    """What the detector says of the wrong labels of one side of the dataset."""
    truth = {image.file_name: image.objects for image in images}
    wrong = {name: labels[name] for name in truth}
    record = [error for error in errors if error.file_name in truth]
    suspects = suspects_of(wrong, predictions)
    looked_at = {suspect.file_name for suspect in suspects}
    corrected = {name: truth[name] if name in looked_at else wrong[name] for name in truth}
    found, fixed = score_found(suspects, record), score_fixed(corrected, record)
    kinds = ", ".join(
        f"{kind} {found.hit_by_kind.get(kind, 0)} of {total}"
        for kind, total in sorted(found.total_by_kind.items())
    )
    moves = [coco_map(one, predictions)[0] for one in (wrong, corrected)]
    return (
        f"with wrong labels: mAP {moves[0]:.3f}; {found.suspects} suspects, {found.right} of them "
        f"on an error; {found.hit} of {found.total} errors hit ({kinds}); the {len(looked_at)} "
        f"images with suspects corrected: {fixed.hit} errors gone, mAP {moves[1]:.3f}"
    )


def main() -> None:
    """Prints the figures of the README."""
    parser = argparse.ArgumentParser(description="Measures the detector on the demo's images.")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--directory", type=Path, help="images already made, or where to put them")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = options.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = DemoFiles(directory)
        truth = write_images(files, options.seed, options.images)
        paths = (files.images / image.file_name for image in truth.images)
        predictions = predict_files(paths, load_detector())
    labels, errors = inject_errors(truth.images, ERROR_SHARE, options.seed)
    for split in ("test", "train"):
        side = [image for image in truth.images if image.split == split]
        print(f"## {split}\n\n{report(side, predictions)}\n")
        print(report_errors(side, labels, predictions, errors), end="\n\n")


if __name__ == "__main__":
    main()
