from __future__ import annotations

import signal
import subprocess
import sys

import fiftyone as fo
import numpy as np
import pytest

from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.storing.whole_fields import is_field_name, write_whole
from relabel.curation.uniqueness import compute_uniqueness

LAST = "last_modified_at"


def fields_of(dataset):
    dataset.reload()
    return set(dataset.get_field_schema())


def test_write_whole__takes_the_place_of_all_that_was_there(dataset):
    ids, held = dataset.values("id"), dataset.last()
    write_whole(dataset, "score", {ids[0]: 0.5, ids[5]: 1.0}, fo.FloatField)
    assert held.score == 1.0
    untouched = dataset.values(LAST)[2]
    write_whole(dataset, "score", {ids[1]: 0.25}, fo.FloatField)
    assert dataset.values("score") == [None, 0.25, None, None, None, None]
    assert held.score is None
    assert dataset.values(LAST)[2] == untouched
    assert dataset.values(LAST)[1] > untouched
    assert not any("unfinished" in name for name in fields_of(dataset))


def test_write_whole__of_whole_numbers(dataset):
    ids = dataset.values("id")
    write_whole(dataset, "place", {ids[3]: 1}, fo.IntField)
    assert isinstance(dataset.get_field("place"), fo.IntField)
    assert dataset.exists("place").values("id") == [ids[3]]


def test_write_whole__failure_changes_nothing(dataset, monkeypatch):
    ids, before = dataset.values("id"), fields_of(dataset)
    write = fo.Dataset.set_values

    def half(self, field, values, **options):
        write(self, field, dict(list(values.items())[:3]), **options)
        raise ConnectionError("The database is gone")

    with monkeypatch.context() as context:
        context.setattr(fo.Dataset, "set_values", half)
        with pytest.raises(ConnectionError):
            write_whole(dataset, "score", dict.fromkeys(ids, 1.0), fo.FloatField)
        assert fields_of(dataset) == before
    write_whole(dataset, "score", dict.fromkeys(ids, 1.0), fo.FloatField)
    with monkeypatch.context() as context:
        context.setattr(fo.Dataset, "set_values", half)
        with pytest.raises(ConnectionError):
            write_whole(dataset, "score", dict.fromkeys(ids, 2.0), fo.FloatField)
    assert dataset.values("score") == [1.0] * 6


def test_compute_uniqueness__killed_while_it_writes(dataset, database):
    dataset.persistent = True
    script = [sys.executable, "-m", "tests.curation.storing.killed_writing", dataset.name]

    def killed():
        done = subprocess.run(script, check=False, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr

    killed()
    assert "uniqueness" not in fields_of(dataset)
    assert dataset.list_brain_runs() == []

    ids = dataset.values("id")
    write_whole(dataset, "uniqueness", dict.fromkeys(ids, 0.5), fo.FloatField)
    killed()
    dataset.reload()
    assert dataset.values("uniqueness") == [0.5] * 6

    embeddings = Embeddings(tuple(ids), _circle(6), "test")
    compute_uniqueness(dataset, embeddings, "uniqueness")
    assert max(dataset.values("uniqueness")) == 1.0
    assert not any("unfinished" in name for name in fields_of(dataset))


def _circle(count):
    angles = np.linspace(0, 2, count) ** 2
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.mark.parametrize("name", ["_order", "a b", "1st", "a.b", "", "größe_2"])
def test_is_field_name__as_fiftyone_takes_it(dataset, name):
    try:
        dataset.add_sample_field(name, fo.IntField)
    except ValueError:
        assert not is_field_name(name)
    else:
        assert is_field_name(name) == name.isidentifier()
