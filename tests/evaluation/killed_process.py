"""A process that is killed at work: ``python -m tests.evaluation.killed_process WHAT DATASET N``.

``apply`` dies after N images, ``evaluate`` right before its Nth command that writes to MongoDB.
"""

from __future__ import annotations

import os
import signal
import sys

import pymongo.monitoring

MADE_BY = "killed"
_WRITES = {"insert", "update", "delete", "findAndModify"}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DiesBefore(pymongo.monitoring.CommandListener):
    """Dies right before a command that writes."""

    left = 0

    def started(self, event):
        if self.left and event.command_name in _WRITES:
            self.left -= 1
            if not self.left:
                die()

    def succeeded(self, event):
        pass

    def failed(self, event):
        pass


def apply(name: str, after: int) -> None:
    import fiftyone as fo

    from relabel.evaluation.predicting import checkpoints
    from relabel.evaluation.predicting.predict import apply_model

    from .predicting.brightness import Brightness

    checkpoints._KEEP_SECONDS = 0.0
    apply_model(
        fo.load_dataset(name),
        Brightness(),
        "found",
        batch_size=1,
        made_by=MADE_BY,
        progress=lambda done, _: die() if done == after else None,
    )


def evaluate(name: str, write: int) -> None:
    listener = DiesBefore()
    pymongo.monitoring.register(listener)  # before FiftyOne makes its client
    import fiftyone as fo

    from relabel.evaluation.detections import evaluate_detections

    dataset = fo.load_dataset(name)
    listener.left = write
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")


if __name__ == "__main__":
    {"apply": apply, "evaluate": evaluate}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
