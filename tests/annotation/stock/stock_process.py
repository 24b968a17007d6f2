"""What stock FiftyOne does with rounds, in a process that never saw this plugin.

Arguments: the name of a dataset, and a JSON list of calls, each with the method, the name of the
round and its options.
"""

import json
import sys

import fiftyone as fo
from patience import wait_for_log_ins

wait_for_log_ins()
name, calls = sys.argv[1:]
dataset = fo.load_dataset(name)
answer: dict = {}
for method, key, options in json.loads(calls):
    if method == "get_status":
        status = dataset.load_annotation_results(key).get_status()
        answer["states"] = [
            job["state"]
            for tasks in status.values()
            for task in tasks.values()
            for job in task["jobs"].values()
        ]
    elif method == "print_status":
        dataset.load_annotation_results(key).print_status()
    elif method == "rename_annotation_run":
        dataset.rename_annotation_run(key, options["new_key"])
    else:
        getattr(dataset, method)(key, **options)
answer["runs"] = dataset.list_annotation_runs()
assert not any(module.split(".")[0] == "relabel" for module in sys.modules)
sys.stdout.write(json.dumps(answer))
