from __future__ import annotations

from datetime import timedelta

import fiftyone.core.odm as foo
import numpy as np
import pytest
from gridfs import GridFS
from mongoengine.fields import GridFSProxy

from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.errors import BrainKeyError
from relabel.curation.similarity import add_to_similarity, compute_similarity, indexes
from relabel.curation.storing import brain_runs
from relabel.curation.storing.beside import keep, kept
from relabel.curation.storing.brain_runs import (
    load_results,
    replaced_run,
    require_brain_key,
    stored_ids,
    version_of_results,
)


@pytest.fixture
def index(dataset):
    vectors = np.eye(6, dtype=np.float32)
    compute_similarity(dataset, Embeddings(tuple(dataset.values("id")), vectors, "test"), "index")
    return dataset


def test_replaced_run__failure_leaves_the_old_one(index):
    before = index.get_brain_info("index").timestamp
    vectors = Embeddings(tuple(index.values("id")), np.eye(6, dtype=np.float32), "test")

    def fail(temporary):
        compute_similarity(index, vectors, temporary)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), replaced_run(index, "index") as temporary:
        fail(temporary)
    assert index.list_brain_runs() == ["index"]
    assert index.get_brain_info("index").timestamp == before
    index.clear_cache()
    assert index.load_brain_results("index").total_index_size == 6


def test_replaced_run__what_a_killed_process_left(index):
    """It is no index to choose; the next run of that name deletes it, once nobody is at work."""
    index.rename_brain_run("index", left := "index_unfinished_0123abcd")
    assert (indexes(index), index.list_brain_runs()) == ([], [left])
    vectors = Embeddings(tuple(index.values("id")), np.eye(6, dtype=np.float32), "test")
    compute_similarity(index, vectors, "index")
    assert (indexes(index), index.list_brain_runs()) == (["index"], ["index", left])

    run = index._doc.brain_methods[left]
    run.timestamp -= timedelta(days=2)
    run.save()
    compute_similarity(index, vectors, "other")
    assert left in index.list_brain_runs()
    compute_similarity(index, vectors, "index")
    assert index.list_brain_runs() == ["index", "other"]


def test_replaced_run__killed_while_the_old_one_is_deleted(index, monkeypatch):
    def die(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(index), "delete_brain_run", die)
    five = Embeddings(tuple(index.values("id")[:5]), np.eye(5, dtype=np.float32), "test")
    with pytest.raises(KeyboardInterrupt):
        compute_similarity(index, five, "index")
    assert indexes(index) == ["index"]
    index.clear_cache()
    assert index.load_brain_results("index").total_index_size == 5


def test_load_results__of_a_run_that_another_process_has_replaced(index):
    cached = index.load_brain_results("index")
    ids, vectors = tuple(index.values("id")), np.eye(6, dtype=np.float32)
    compute_similarity(index, Embeddings(ids[:3], vectors[:3], "test"), "index")
    cached._key = "index"
    index._brain_cache["index"] = cached
    add_to_similarity(index, Embeddings(ids[3:4], vectors[3:4], "test"), "index")
    index.clear_cache()
    assert index.load_brain_results("index").total_index_size == 4


def test_save_results__the_old_ones_until_the_new_are_there(index, monkeypatch):
    more = Embeddings(("6b0bfc50c1a2d16f957d1139",), np.ones((1, 6), np.float32), "test")

    def die(*_, **__):
        raise KeyboardInterrupt

    for at in (GridFSProxy, type(index._doc.brain_methods["index"])):
        with monkeypatch.context() as context:
            context.setattr(at, "put" if at is GridFSProxy else "save", die)
            with pytest.raises(KeyboardInterrupt):
                add_to_similarity(index, more, "index")
        assert index.load_brain_results("index").total_index_size == 6
    files = GridFS(foo.get_db_conn())
    before = len(files.list())
    add_to_similarity(index, more, "index")
    assert len(files.list()) == before
    index.reload()
    index.clear_cache()
    assert index.load_brain_results("index").total_index_size == 7


def test_require_brain_key__of_another_kind(index):
    with pytest.raises(BrainKeyError, match="another kind"):
        require_brain_key(index, "index", "visualization")


def test_keep__follows_a_renamed_run(index):
    keep(index, "index", {"array": np.arange(3)})
    index.rename_brain_run("index", "renamed")
    assert kept(index, "renamed", "array").tolist() == [0, 1, 2]
    assert kept(index, "renamed", "another") is None


def test_keep__again_replaces(index):
    keep(index, "index", {"array": np.arange(3)})
    keep(index, "index", {"array": np.arange(2)})
    assert kept(index, "index", "array").tolist() == [0, 1]
    run = index._doc.brain_methods["index"].id
    files = GridFS(foo.get_db_conn()).find({"metadata.run": run, "metadata.kind": "array"})
    assert len(list(files)) == 1


def test_keep__forgets_what_belongs_to_deleted_runs(index):
    keep(index, "index", {"array": np.arange(3)})
    run = index._doc.brain_methods["index"].id
    index.delete_brain_run("index")
    vectors = Embeddings(tuple(index.values("id")), np.eye(6, dtype=np.float32), "test")
    compute_similarity(index, vectors, "another")
    assert not list(GridFS(foo.get_db_conn()).find({"metadata.run": run}))


def test_keep__pickled_objects_are_refused(index):
    with pytest.raises(ValueError, match="pickle"):
        keep(index, "index", {"array": np.array([{}], dtype=object)})
    assert kept(index, "index", "array") is None


@pytest.mark.parametrize("first_read", [1, 7, 200, 1 << 18])
def test_stored_ids__without_the_vectors_before_them(index, monkeypatch, first_read):
    monkeypatch.setattr(brain_runs, "_FIRST_READ", first_read)
    assert stored_ids(index, "index", "sample_ids") == set(index.values("id"))
    assert stored_ids(index, "index", "label_ids") is None
    results = load_results(index, "index").serialize()
    assert list(results)[-3:] == ["embeddings", "sample_ids", "label_ids"]


def test_stored_ids__too_many_to_be_read_in_a_moment(index, monkeypatch):
    monkeypatch.setattr(brain_runs, "_FIRST_READ", 4)
    monkeypatch.setattr(brain_runs, "_MOST_READ", 100)
    assert stored_ids(index, "index", "sample_ids") is None


def test_stored_ids__of_results_that_are_not_there(index):
    run = index._doc.brain_methods["index"]
    GridFS(foo.get_db_conn()).delete(run.results.grid_id)
    assert stored_ids(index, "index", "sample_ids") is None
    run.results = None
    assert stored_ids(index, "index", "sample_ids") is None
    assert version_of_results(index, "index") == ""


@pytest.mark.parametrize("kept_now", [b'{"sample_ids": [', b'{"sample_ids": [], "more": {}}'])
def test_stored_ids__of_results_that_are_kept_in_another_way(index, kept_now):
    files, results = GridFS(foo.get_db_conn()), index._doc.brain_methods["index"].results
    files.delete(results.grid_id)
    files.put(kept_now, _id=results.grid_id)
    assert stored_ids(index, "index", "label_ids") is None


def test_version_of_results__another_when_the_index_is_added_to(index):
    before = version_of_results(index, "index")
    more = Embeddings(("6b0bfc50c1a2d16f957d1139",), np.ones((1, 6), np.float32), "test")
    add_to_similarity(index, more, "index")
    assert version_of_results(index, "index") not in (before, "")
