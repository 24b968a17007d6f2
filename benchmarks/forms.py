"""How long the form of ``send_to_cvat`` takes to answer, on a large dataset.

    .venv/bin/python benchmarks/forms.py [--samples 100000]

100,000 samples with 1,000,000 boxes. The form is worked out at every keystroke, as the App does
it: the whole dataset, a tag, and a view are targeted in turn. Stock FiftyOne has no such form, so
there is no peer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _measuring import at_most

from demo.world import demo_world

if TYPE_CHECKING:
    from collections.abc import Callable

    import fiftyone as fo

SAMPLES, BOXES, BATCH, CLASSES = 100_000, 10, 5_000, 20
TAG, TAGGED = "requires_annotation", 5_000
KEYSTROKES = 9
KEYSTROKE, FIRST = 0.3, 5.0  # seconds
URI = "@relabel/cvat/send_to_cvat"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"with {BOXES} boxes each")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="relabel-forms-") as folder,
        demo_world(Path(folder)),
    ):
        os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
        dataset = make_dataset(options.samples)
        print(json.dumps([line for target in TARGETS for line in measure(dataset, target)]))


TARGETS: dict[str, tuple[dict[str, Any], Callable[[Any], Any] | None]] = {
    "the dataset": ({"what": "dataset"}, None),
    "a tag": ({"what": "tagged", "tag": TAG}, None),
    "a view of classes": (
        {"what": "view"},
        lambda dataset: dataset.filter_labels("ground_truth", {"$eq": ["$$this.label", "1"]}),
    ),
}


def measure(dataset: fo.Dataset, target: str) -> list[dict[str, Any]]:
    """Opens the form, then types the name of a round, the size of jobs and a name."""
    params, narrow = TARGETS[target]
    view = narrow(dataset) if narrow else None
    first = _seconds(dataset, params, view)
    typed: list[float] = []
    for number in range(1, KEYSTROKES + 1):
        answers: tuple[dict[str, Any], ...] = (
            {"key": "fix" + "_x" * number},
            {"key": "fix", "images_per_job": number},
            {"key": "fix", "images_per_job": 9, "assignees": ["ann.a", "ann.b"][: number % 3]},
        )
        typed += [_seconds(dataset, {**params, **answer}, view) for answer in answers]
    return [
        at_most(f"form for {target}, first, seconds", first, None, FIRST),
        at_most(
            f"form for {target}, keystroke, median seconds",
            statistics.median(typed),
            None,
            KEYSTROKE,
        ),
        at_most(f"form for {target}, keystroke, longest, seconds", max(typed), None, KEYSTROKE),
    ]


def _seconds(dataset: fo.Dataset, params: dict[str, Any], view: Any) -> float:
    import fiftyone.operators as foo
    from fiftyone.operators.executor import ExecutionContext, Executor

    request = {"dataset_name": dataset.name, "params": params}
    if view is not None:
        request["view"] = view._serialize()  # noqa: SLF001 - as the App sends it
    operator = foo.get_operator(URI)
    ctx = ExecutionContext(
        request_params=request,
        executor=Executor(),
        operator_uri=URI,
        required_secrets=operator._plugin_secrets,  # noqa: SLF001 - as the App does
    )
    began = time.perf_counter()
    form = operator.resolve_type(ctx, "inputs").to_json()
    seconds = time.perf_counter() - began
    wrong = [field for field in form["type"]["properties"].values() if field["invalid"]]
    if wrong:
        raise RuntimeError(wrong[0]["error_message"])
    return seconds


def make_dataset(samples: int = SAMPLES) -> fo.Dataset:
    """A dataset of copies of one sample, written past FiftyOne's object layer, which is slow."""
    import fiftyone as fo
    from bson import ObjectId

    boxes = [
        fo.Detection(label=str(number % CLASSES), bounding_box=[0.1, 0.1, 0.2, 0.2], iscrowd=0)
        for number in range(BOXES)
    ]
    sample = fo.Sample(filepath="/images/first.png", ground_truth=fo.Detections(detections=boxes))
    sample.metadata = fo.ImageMetadata(size_bytes=100_000, width=640, height=480)
    dataset = fo.Dataset("forms", persistent=True, overwrite=True)
    dataset.add_sample(sample)
    collection = dataset._sample_collection  # noqa: SLF001 - FiftyOne would take minutes
    (document,) = collection.find()
    labels = document["ground_truth"]["detections"]
    copies: list[dict[str, Any]] = []
    for number in range(1, samples):
        detections = [
            {**box, "_id": ObjectId(), "label": str((number + index) % CLASSES)}
            for index, box in enumerate(labels)
        ]
        copies.append(
            {
                **document,
                "_id": ObjectId(),
                "filepath": f"/images/{number:06d}.png",
                "tags": [TAG] if number <= TAGGED else [],
                "ground_truth": {**document["ground_truth"], "detections": detections},
            }
        )
        if len(copies) == BATCH or number == samples - 1:
            collection.insert_many(copies)
            copies = []
    return dataset


if __name__ == "__main__":
    main()
