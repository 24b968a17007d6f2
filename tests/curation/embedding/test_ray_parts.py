from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from relabel.compute.errors import ModelNotFound, NodeCannotSee
from relabel.compute.inference.recipes import recipe
from relabel.curation.embedding.checkpoints import Checkpoint
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import compute_embeddings
from relabel.curation.embedding.keras_models import load_model_file
from tests.ray_fixtures import kill

DESCRIPTOR = recipe(ImageDescriptor)


@pytest.fixture
def images(tmp_path):
    """Forty-eight pictures of noise, in forty-eight files."""
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(48)]
    for path in paths:
        Image.fromarray(generator.integers(0, 255, (48, 64, 3), np.uint8)).save(path)
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()


def same(there, here):
    return there.ids == here.ids and np.array_equal(there.vectors, here.vectors)


def test_compute_embeddings__on_a_cluster_as_here(images, ray_cluster):
    """One bad image costs one image, there as well."""
    Path(images.first().filepath).write_bytes(b"")
    Path(images.last().filepath).unlink()
    steps = []
    there = compute_embeddings(
        images,
        DESCRIPTOR,
        source="test",
        batch_size=4,
        cluster=ray_cluster,
        progress=lambda *step: steps.append(step),
    )
    here = compute_embeddings(images, DESCRIPTOR, source="test")
    assert same(there, here)
    assert len(there) == 46
    assert there.unreadable == here.unreadable
    assert steps == [(done, 48) for done in range(4, 49, 4)]


def test_compute_embeddings__patches_on_a_cluster_as_here(dataset, one_worker):
    options = {"source": "test", "patches_field": "ground_truth"}
    there = compute_embeddings(dataset, DESCRIPTOR, **options, cluster=one_worker)
    assert len(there) == 12
    assert same(there, compute_embeddings(dataset, DESCRIPTOR, **options))


def test_compute_embeddings__goes_on_on_a_cluster_with_what_is_kept(images, one_worker):
    checkpoint = Checkpoint(["ray", images.name])
    compute_embeddings(images.limit(20), DESCRIPTOR, source="test", checkpoint=checkpoint)
    steps = []
    there = compute_embeddings(
        images,
        DESCRIPTOR,
        source="test",
        cluster=one_worker,
        checkpoint=checkpoint,
        progress=lambda done, _: steps.append(done),
    )
    assert steps == [48]  # of the batches that were left
    assert same(there, compute_embeddings(images, DESCRIPTOR, source="test"))
    checkpoint.discard()


def test_compute_embeddings__a_node_that_cannot_see_says_which(dataset, one_worker, monkeypatch):
    """A path that leads elsewhere in every process."""
    here = Path(dataset.first().filepath)
    monkeypatch.chdir(here.parent)
    sample = dataset.first()
    sample.filepath = f"/proc/self/cwd/{here.name}"
    sample.save()
    with pytest.raises(NodeCannotSee, match=rf"node .* cannot open /proc/self/cwd/{here.name}"):
        compute_embeddings(dataset, DESCRIPTOR, source="test", cluster=one_worker)


def test_compute_embeddings__a_node_that_has_no_model_says_so(dataset, one_worker):
    model = recipe(load_model_file, "/nowhere/model.keras")
    with pytest.raises(ModelNotFound, match=r"The node .* says: '/nowhere/model.keras'"):
        compute_embeddings(dataset, model, source="test", cluster=one_worker)


def test_compute_embeddings__a_node_dies_and_the_result_is_the_same(images, killable, ray_cluster):
    killed = []

    def progress(done, total):
        if not killed:
            assert done < total
            killed.append(kill(killable))

    there = compute_embeddings(
        images, DESCRIPTOR, source="test", batch_size=1, cluster=ray_cluster, progress=progress
    )
    assert killed == [1]
    assert same(there, compute_embeddings(images, DESCRIPTOR, source="test"))
