"""Pushes in processes that kill themselves after a number of requests, one fork for each.

Reads lines of JSON, ``{"dataset", "key", "assignees", "options", "kill_after"}``; answers each
with the exit status of its fork. Instead of a number of requests it may be told ``"record"``: then
it dies when the run is registered, and the record of the round is about to be written; or
``"files"``: when it has noted which files are there, before the next request. That many files at
most are in a request: 2.
"""

import json
import os
import signal
import sys

import fiftyone as fo
import fiftyone.core.odm as foo
import requests

from relabel.annotation import make_plan, push
from relabel.annotation.sending import uploading
from relabel.cvat import CvatClient, CvatConfig, tus, uploads
from tests.annotation.sending.small_push import request_of


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def killing(kill_after):
    """Ends this process after a request, before its answer is seen."""
    if kill_after == "record":
        sys.modules["relabel.annotation.sending.push"].save_round = die
        return
    if kill_after == "files":
        note = uploading.TaskJournal.note_files_sent
        uploading.TaskJournal.note_files_sent = lambda *args: (note(*args), die())
        return
    send = requests.adapters.HTTPAdapter.send
    left = kill_after

    def counting(*args, **kwargs):
        nonlocal left
        answer = send(*args, **kwargs)
        left -= 1
        if left == 0:
            die()
        return answer

    requests.adapters.HTTPAdapter.send = counting


def frozen(value):
    return tuple(value) if isinstance(value, list) else value


def run(order):
    foo.get_db_client().close()
    dataset = fo.load_dataset(order["dataset"])
    uploads.MAX_REQUEST_FILES = 2
    if chunk := order["options"].pop("chunk", None):
        uploads.MAX_REQUEST_BYTES = tus.CHUNK_BYTES = chunk
    with CvatClient(CvatConfig.from_mapping(os.environ)) as client:
        options = {name: frozen(value) for name, value in order["options"].items()}
        request = request_of(dataset, order["key"], order["assignees"], **options)
        plan = make_plan(dataset, request)
        killing(order["kill_after"])
        push(dataset, plan, client)


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run(json.loads(line))
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
    sys.stdout.flush()
