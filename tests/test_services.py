import sys
import time

import pymongo

from demo import services


def test_mongod__starts_again_on_its_old_data(tmp_path):
    with services.mongod(tmp_path) as uri, pymongo.MongoClient(uri) as client:
        client.kept.things.insert_one({"_id": 1})
    with services.mongod(tmp_path) as uri, pymongo.MongoClient(uri) as client:
        assert client.kept.things.count_documents({}) == 1
        with client.kept.things.watch():  # only a replica set has change streams
            pass


def test_program__what_does_not_end_when_it_is_told_to_is_killed(tmp_path):
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
    )
    command, log = [sys.executable, "-c", f"{deaf}; signal.pause()"], tmp_path / "log"
    with services.program(command, log, patience=0.2) as process:
        while "deaf" not in log.read_text():
            assert process.poll() is None
        began = time.monotonic()
    assert process.returncode == -9
    assert time.monotonic() - began < 5
