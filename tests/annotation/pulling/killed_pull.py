"""Pulls, or their undoing, in processes that kill themselves at a write to the database.

Reads lines of JSON, ``{"action", "dataset", "key", "writes"}``; answers each with the exit status
of a fork that dies as its write of that number is about to be sent, counted from 0.
"""

import json
import os
import signal
import sys

import fiftyone as fo
import fiftyone.core.odm as foo
from pymongo.synchronous.pool import Connection

from relabel.annotation import pull, undo_pull
from relabel.cvat import CvatClient, CvatConfig

_WRITES = {"insert", "update", "delete", "findAndModify"}


def killing(writes):
    """Ends this process at a write."""
    command, write_command = Connection.command, Connection.write_command
    left = writes

    def write():
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def counting_command(self, dbname, spec, *args, **options):
        if next(iter(spec)) in _WRITES:
            write()
        return command(self, dbname, spec, *args, **options)

    def counting_write_command(self, *args, **options):
        write()
        return write_command(self, *args, **options)

    Connection.command, Connection.write_command = counting_command, counting_write_command


def run(order):
    foo.get_db_client().close()
    dataset = fo.load_dataset(order["dataset"])
    with CvatClient(CvatConfig.from_mapping(os.environ)) as client:
        killing(order["writes"])
        if order["action"] == "pull":
            pull(dataset, order["key"], client)
        else:
            undo_pull(dataset, order["key"])


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
