"""SIGTERM ends the demo wherever it is, in order and soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 20  # FiftyOne would wait 30 for a database that is gone

SWALLOWS = """
import time
from demo.ending import ends_when_told

try:
    with ends_when_told():
        for word in ("ready", "told once"):
            try:
                print(word, flush=True)
                time.sleep(60)
            except BaseException:
                print("swallowed", flush=True)
        time.sleep(60)
finally:
    print("cleaned up", flush=True)
"""
CONNECTED = """
import sys
from pathlib import Path
from demo.ending import ends_when_told
from demo.world import demo_world

with demo_world(Path(sys.argv[1])), ends_when_told():
    import fiftyone as fo
    fo.Dataset()
    print("ready", flush=True)
    sys.stdin.read()
"""


def told_to_end(program, *arguments):
    """Runs a program until it says that it is ready, then tells it to end; gives what it said."""
    return told_at("ready", [sys.executable, "-c", program, *arguments])


def told_at(word, command, **options):
    """Runs a command until a line begins with a word, then tells it to end; gives what it said."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        **options,
    ) as process:
        for line in process.stdout:
            if line.startswith(word):
                break
        process.send_signal(signal.SIGTERM)
        try:
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    return process.returncode, said.splitlines()


def test_ends_when_told__though_its_error_is_swallowed_twice():
    assert told_to_end(SWALLOWS) == (143, ["swallowed", "told once", "swallowed", "cleaned up"])


def test_let_go_of_database__the_demo_ends_while_it_uses_fiftyone(tmp_path, monkeypatch):
    for name in ("FIFTYONE_DATABASE_URI", "FIFTYONE_CVAT_URL"):
        monkeypatch.delenv(name, raising=False)
    assert told_to_end(CONNECTED, str(tmp_path)) == (143, [])


def test_demo__ends_when_told_to_and_leaves_no_program(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        monkeypatch.delenv(name)
    command = [sys.executable, "-m", "demo.app", "--no-browser", "--directory", str(tmp_path)]
    code, _ = told_at("Building", command, stderr=subprocess.STDOUT)
    assert code == 143
    running = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    assert not [words for words in running if any(str(tmp_path) in word for word in words)]
