from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from relabel.compute.inference.batches import fitting
from relabel.curation.embedding import parts
from relabel.curation.embedding.checkpoints import Checkpoint
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import (
    Embeddings,
    compute_embeddings,
    read_each,
    read_embeddings,
    vector_fields,
)
from relabel.curation.errors import EmbeddingsError, NoVectors


def test_compute_embeddings__one_row_per_sample(dataset):
    steps = []
    found = compute_embeddings(
        dataset,
        ImageDescriptor(),
        source="descriptor",
        batch_size=4,
        progress=lambda *step: steps.append(step),
    )
    assert list(found.sample_ids) == dataset.values("id")
    assert found.vectors.shape == (6, ImageDescriptor.dimensions)
    assert steps == [(4, 6), (6, 6)]


def test_compute_embeddings__unreadable_image_costs_one_image(dataset):
    broken = dataset.first()
    Path(broken.filepath).write_bytes(b"")
    found = compute_embeddings(dataset, ImageDescriptor(), source="descriptor")
    assert (len(found), found.missing) == (5, 1)
    assert found.unreadable[0].sample_id == broken.id
    assert broken.id not in found.sample_ids


def test_compute_embeddings__nothing_readable(dataset):
    for path in dataset.values("filepath"):
        Path(path).unlink()
    with pytest.raises(EmbeddingsError, match="No image could be read"):
        compute_embeddings(dataset, ImageDescriptor(), source="descriptor")


def test_compute_embeddings__with_fiftyones_own_function(dataset):
    ours = compute_embeddings(dataset, ImageDescriptor(), source="descriptor")
    stock = dataset.compute_embeddings(ImageDescriptor(), progress=False)
    assert np.array_equal(ours.vectors, stock)


class OnGpu(ImageDescriptor):
    """Each call takes a second, of however many images; of more than 8 memory runs out."""

    using_gpu = True
    now = 0.0

    def embed_all(self, args):
        self.now += 1.0
        if len(args) > 8:
            raise MemoryError
        return super().embed_all(args)


class Stop(Exception):
    """The run ends here."""


def test_compute_embeddings__on_a_gpu_in_batches_that_grow(dataset, monkeypatch):
    """Stopped and gone on with, the result is that of a CPU."""
    folder, noise = Path(dataset.first().filepath).parent, np.random.default_rng(0)
    more = [folder / f"more-{number}.png" for number in range(90)]
    for path in more:
        Image.fromarray(noise.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in more])
    monkeypatch.setattr(parts, "USUAL_BATCH", 2)

    def embed(checkpoint, stop_after=None):
        model, counts = OnGpu(), [0]
        monkeypatch.setattr(parts, "fitting", partial(fitting, clock=lambda: model.now))

        def progress(done, _):
            counts.append(done)
            if stop_after and done >= stop_after:
                raise Stop

        options = {"source": "descriptor", "checkpoint": checkpoint, "progress": progress}
        with contextlib.suppress(Stop):
            return compute_embeddings(dataset, model, **options), np.diff(counts).tolist()

    checkpoint = Checkpoint(["grows", dataset.name])
    assert embed(checkpoint, stop_after=50) is None
    resumed, _ = embed(checkpoint)
    checkpoint.discard()
    found, sizes = embed(None)
    assert sizes == [2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 8]
    undisturbed = compute_embeddings(dataset, ImageDescriptor(), source="descriptor")
    for one in (found, resumed):
        assert one.sample_ids == undisturbed.sample_ids
        assert np.array_equal(one.vectors, undisturbed.vectors)


def test_read_embeddings__samples_without_are_left_out(dataset):
    ids = dataset.values("id")
    dataset.set_values("vectors", {key: np.ones(3) for key in ids[1:]}, key_field="id")
    found = read_embeddings(dataset, "vectors")
    assert list(found.sample_ids) == ids[1:]
    assert (found.missing, found.vectors.dtype) == (1, np.float32)
    assert vector_fields(dataset) == ["vectors"]


def test_read_embeddings__lengths_differ(dataset):
    dataset.set_values("vectors", [np.ones(3)] * 5 + [np.ones(4)])
    with pytest.raises(EmbeddingsError, match="different lengths"):
        read_embeddings(dataset, "vectors")


def test_read_each__what_has_no_vector_is_counted(dataset):
    dataset.set_values("vectors", [None, np.ones(3), None, np.zeros(3), None, np.eye(3)[0]])
    views = [dataset[start : start + 1] for start in range(6)]
    found = read_each(views[:4], partial(read_embeddings, field="vectors"), beside=views[4:])
    assert [dataset.values("id").index(key) for key in found.sample_ids] == [1, 5]
    assert found.missing == 4
    with pytest.raises(NoVectors, match="No sample has a vector"):
        read_each(views[:1], partial(read_embeddings, field="vectors"), beside=views[1:])


def test_read_each__any_other_error_is_raised(dataset):
    dataset.set_values("vectors", [np.ones(3)] * 4 + [np.ones(3), np.ones(4)])
    read = partial(read_embeddings, field="vectors")
    with pytest.raises(EmbeddingsError, match="different lengths"):
        read_each([dataset[:4], dataset[4:]], read)


@pytest.mark.parametrize("field", ["nonsense", "filepath", "ground_truth", "", None])
def test_read_embeddings__not_a_field_of_vectors(dataset, field):
    with pytest.raises(EmbeddingsError, match="not a field of vectors"):
        read_embeddings(dataset, field)


def test_normalized__zero_vector_stays_finite(dataset):
    dataset.set_values("vectors", [np.zeros(3)] + [np.full(3, 7.0)] * 5)
    unit = read_embeddings(dataset, "vectors").normalized()
    assert np.isfinite(unit).all()
    assert np.linalg.norm(unit[1]) == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_normalized__length_one_whatever_the_scale(scale):
    vectors = (np.random.default_rng(0).normal(size=(20, 8)) * scale).astype(np.float32)
    unit = Embeddings(tuple(map(str, range(20))), vectors, "test").normalized()
    assert np.linalg.norm(unit, axis=1) == pytest.approx(1, abs=1e-6)
