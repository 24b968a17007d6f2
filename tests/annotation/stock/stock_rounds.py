"""Rounds of stock FiftyOne, here or in a process that never saw this plugin; edits in CVAT."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from relabel.cvat import JobState
from tests.annotation.stock.patience import wait_for_log_ins

wait_for_log_ins()
STOCK = Path(__file__).parent / "stock_process.py"


class Stock:
    """Stock FiftyOne.

    Args:
        dataset: the dataset
        config: the CVAT server and who we are to it
    """

    def __init__(self, dataset, config):
        self.dataset = dataset
        self._environment = {
            **os.environ,
            "FIFTYONE_CVAT_URL": config.url,
            "FIFTYONE_CVAT_USERNAME": config.username,
            "FIFTYONE_CVAT_PASSWORD": config.password,
        }
        self._environment.pop("FIFTYONE_PLUGINS_DIR", None)
        self.server = {
            "url": config.url,
            "username": config.username,
            "password": config.password,
        }
        self.task_ids = []
        self.projects = set()

    def run(self, *calls):
        """Makes calls one after the other in another process; returns what the last one said."""
        self.dataset.persistent = True
        done = subprocess.run(
            [sys.executable, str(STOCK), self.dataset.name, json.dumps(calls)],
            capture_output=True,
            text=True,
            env=self._environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        self.dataset.reload()
        return json.loads(done.stdout.splitlines()[-1])

    def annotate(self, key="stock_1", samples=None, **options):
        """Sends a round; returns the ids of its tasks."""
        self.projects |= {options["project_name"]} if "project_name" in options else set()
        results = (samples or self.dataset).annotate(key, backend="cvat", **options, **self.server)
        self.task_ids += results.task_ids
        return list(results.task_ids)

    def send(self, key="stock_1", **options):
        """Does so in a process that never saw this plugin; options are what JSON can say."""
        self.run(["annotate", key, {"backend": "cvat", **options}])
        results = self.dataset.load_annotation_results(key, cache=False, **self.server)
        self.task_ids += results.task_ids
        return list(results.task_ids)

    def load(self, key="stock_1", **options):
        """Loads a round."""
        self.dataset.load_annotations(key, **{"unexpected": "ignore", **options}, **self.server)


class Editor:
    """Edits tasks in CVAT."""

    def __init__(self, client, task_ids):
        self.client = client
        self.task_ids = task_ids

    def shapes(self, frame=0, task=0):
        found = self.client.task_annotations(self.task_ids[task]).shapes
        return [shape for shape in found if shape.frame == frame]

    def patch(self, action, *shapes, task=0):
        items = [
            shape.to_json() | ({} if shape.id is None else {"id": shape.id}) for shape in shapes
        ]
        tags = [item for item in items if "type" not in item]
        body = {
            "version": 0,
            "tags": tags,
            "tracks": [],
            "shapes": [item for item in items if item not in tags],
        }
        path = f"/api/tasks/{self.task_ids[task]}/annotations"
        self.client._transport.send_json("PATCH", path, body, {"action": action})

    def move(self, shape, *points, task=0):
        self.patch("update", replace(shape, points=points), task=task)

    def classes(self, task=0):
        return {spec.name: spec for spec in self.client.task_labels(self.task_ids[task])}

    def change_labels(self, labels, task=0):
        path = f"/api/tasks/{self.task_ids[task]}"
        self.client._transport.send_json("PATCH", path, {"labels": labels})

    def finish(self):
        for job in self.client.jobs(self.task_ids):
            self.client.set_job(job.id, state=JobState.COMPLETED)


def stored(dataset):
    """The samples as the database holds them."""
    return list(dataset._sample_collection.find().sort("_id", 1))


def boxes_of(dataset, index=0):
    return dataset.skip(index).first().ground_truth.detections


def shape_of(editor, name, frame=0):
    class_id = editor.classes()[name].id
    return next(shape for shape in editor.shapes(frame) if shape.label_id == class_id)
