from __future__ import annotations

import numpy as np
import pytest

from relabel.curation.distances.neighbours import fill, nearest_neighbours
from relabel.curation.distances.sharding import Shards
from relabel.curation.distances.unit_rows import UnitRows
from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.selecting.selection import Wishes, select_unique
from relabel.curation.uniqueness import uniqueness
from tests.ray_fixtures import kill


def clustered(count, dimensions=24, seed=0):
    """Vectors around a few means, a tenth of them copies: many ties."""
    generator = np.random.default_rng(seed)
    means = generator.normal(size=(20, dimensions))
    vectors = means[generator.integers(0, 20, count)]
    vectors = vectors + generator.normal(scale=0.2, size=vectors.shape)
    vectors[-count // 10 :] = vectors[: -(-count // 10)]
    return vectors.astype(np.float32)


def as_embeddings(vectors):
    return Embeddings(tuple(map(str, range(len(vectors)))), vectors, "test")


@pytest.fixture(scope="module")
def vectors():
    return clustered(7000)


def test_shards__hold_all_rows_in_order(ray_cluster, vectors):
    parts = Shards(UnitRows(vectors), ray_cluster).parts
    assert len(parts) == len(ray_cluster.nodes) == 3
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(7000))


@pytest.mark.parametrize("seeds", [(), ("5", "4100", "6999")])
def test_select_unique__sharded_is_the_same_to_the_last_bit(ray_cluster, vectors, seeds):
    embeddings = as_embeddings(vectors)
    groups = {key: int(key) % 7 for key in embeddings.sample_ids}
    wishes = Wishes(
        400,
        seeds=seeds,
        apart=0.05,
        weights={key: 1 + int(key) % 3 for key in embeddings.sample_ids},
        balance=groups,
    )
    here = select_unique(embeddings, wishes)
    there = select_unique(embeddings, wishes, cluster=ray_cluster)
    assert there == here
    assert there.coverage == here.coverage


def test_select_unique__fewer_rows_than_a_block(ray_cluster):
    embeddings = as_embeddings(clustered(50))
    there = select_unique(embeddings, Wishes(50), cluster=ray_cluster)
    assert there == select_unique(embeddings, Wishes(50))


def test_uniqueness__sharded_is_the_same(ray_cluster, vectors):
    assert (uniqueness(vectors, cluster=ray_cluster) == uniqueness(vectors)).all()


def test_nearest_neighbours__of_sharded_cells_are_the_same(ray_cluster):
    on_a_surface = np.random.default_rng(1).normal(size=(6000, 3)).astype(np.float32)
    rows = UnitRows(on_a_surface)
    there = nearest_neighbours(rows, 3, exact_below=0, fill=Shards(rows, ray_cluster).fill)
    assert (there == nearest_neighbours(rows, 3, exact_below=0, fill=fill)).all()


def killing(node):
    """Progress that kills a node when it is first told of some, and notes what was on it."""
    killed = []

    def progress(done, total):
        if done and not killed:
            assert done < total
            killed.append(kill(node))

    return progress, killed


def test_select_unique__a_node_dies_and_the_answer_is_the_same(killable, ray_cluster, vectors):
    embeddings = as_embeddings(vectors)
    progress, killed = killing(killable)
    there = select_unique(embeddings, Wishes(400), cluster=ray_cluster, progress=progress)
    assert killed == [1]
    assert there == select_unique(embeddings, Wishes(400))


def test_uniqueness__a_node_dies_and_the_answer_is_the_same(killable, ray_cluster, vectors):
    progress, killed = killing(killable)
    there = uniqueness(vectors, cluster=ray_cluster, progress=progress)
    assert killed == [1]
    assert (there == uniqueness(vectors)).all()
