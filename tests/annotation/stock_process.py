"""What stock FiftyOne makes of a round, in a process that never saw this plugin."""

import json
import sys

import fiftyone as fo

name, key = sys.argv[1:]
dataset = fo.load_dataset(name)
dataset.load_annotations(key, unexpected="ignore")
status = dataset.load_annotation_results(key).get_status()
dataset.rename_annotation_run(key, "renamed")
assert not any(module.split(".")[0] == "relabel" for module in sys.modules)
states = [
    job["state"]
    for tasks in status.values()
    for task in tasks.values()
    for job in task["jobs"].values()
]
sys.stdout.write(json.dumps({"states": states, "runs": dataset.list_annotation_runs()}))
