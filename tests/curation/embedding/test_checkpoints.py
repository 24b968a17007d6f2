from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from relabel.compute.inference.images import ImageBatch
from relabel.curation.embedding import checkpoints
from relabel.curation.embedding.checkpoints import Checkpoint
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import compute_embeddings
from relabel.curation.embedding.parts import Part, embed_batch

from . import killed_embedding


class Stop(Exception):
    """The run ends here."""


@pytest.fixture
def embed(dataset):
    """Embeds the dataset, and stops after so many samples if asked to."""

    def embed(made_by, stop_after=None, checkpoint=True, **options):
        counts = []

        def progress(done, _):
            counts.append(done)
            if done == stop_after:
                raise Stop

        options = {"source": "descriptor", "batch_size": 1, "progress": progress, **options}
        kept = Checkpoint(made_by) if checkpoint else None
        try:
            found = compute_embeddings(dataset, ImageDescriptor(), checkpoint=kept, **options)
        except Stop:
            return counts, None
        if kept:
            kept.discard()
        return counts, found

    return embed


def same(one, other):
    assert (one.sample_ids, one.label_ids) == (other.sample_ids, other.label_ids)
    assert np.array_equal(one.vectors, other.vectors)
    assert (one.missing, one.unreadable) == (other.missing, other.unreadable)


@pytest.mark.parametrize("patches_field", [None, "ground_truth"])
def test_resume__the_rest_only_and_the_same_result(embed, patches_field, monkeypatch):
    monkeypatch.setattr("relabel.compute.inference.patches.IMAGES_AT_ONCE", 2)
    options = {"patches_field": patches_field}
    counts, found = embed("a", 4, **options)
    assert (counts[-1], found) == (4, None)
    counts, resumed = embed("a", **options)
    assert counts[0] > 4
    _, undisturbed = embed("a", checkpoint=False, **options)
    same(resumed, undisturbed)
    counts, _ = embed("a", **options)
    assert counts[0] <= 2  # nothing is kept of a run that is through


def test_resume__not_what_another_model_made(embed):
    embed("one", 4)
    assert embed("other")[0] == [1, 2, 3, 4, 5, 6]
    assert embed("one")[0] == [5, 6]


def test_resume__a_sample_that_changed_is_computed_again(embed, dataset):
    embed("a", 4)
    changed = dataset.first()
    changed.filepath = dataset.last().filepath
    changed.save()
    counts, resumed = embed("a")
    assert counts == [4, 5, 6]
    same(resumed, embed("a", checkpoint=False)[1])


def test_resume__what_was_made_since_a_sample_changed(embed, dataset):
    embed("a", 4)
    changed = dataset.first()
    changed.filepath = dataset.last().filepath
    changed.save()
    embed("a", 4)
    assert embed("a")[0] == [5, 6]


def test_resume__a_sample_of_which_other_patches_are_shown(embed, dataset, monkeypatch):
    monkeypatch.setattr("relabel.compute.inference.patches.IMAGES_AT_ONCE", 2)
    embed("a", 4, patches_field="ground_truth")
    labels = dataset.values("ground_truth.detections.id", unwind=True)
    part = dataset.select_labels(ids=labels[::2], fields="ground_truth")
    options = {"source": "descriptor", "patches_field": "ground_truth"}
    make = partial(compute_embeddings, part, ImageDescriptor(), **options)
    same(make(checkpoint=Checkpoint("a")), make())


def test_resume__an_image_that_could_not_be_read_is_tried_again(embed, dataset):
    path = Path(dataset.first().filepath)
    pixels = path.read_bytes()
    path.write_bytes(b"")
    embed("a", 4)
    path.write_bytes(pixels)
    counts, resumed = embed("a")
    assert counts == [4, 5, 6]
    assert (len(resumed), resumed.missing) == (6, 0)


def test_resume__of_a_part_in_another_order(embed, dataset):
    embed("a", 4)
    part = dataset.select(dataset.values("id")[::-2], ordered=True)
    make = partial(compute_embeddings, part, ImageDescriptor(), source="descriptor")
    same(make(checkpoint=Checkpoint("a")), make())


def test_resume__after_the_process_was_killed(embed, dataset, database):
    dataset.persistent = True
    script = [sys.executable, "-m", "tests.curation.embedding.killed_embedding", dataset.name, "4"]
    killed = subprocess.run(script, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    counts, resumed = embed(killed_embedding.MADE_BY)
    assert counts == [5, 6]
    same(resumed, embed("a", checkpoint=False)[1])


def test_add__each_document_holds_whole_samples_and_fits(embed, dataset, monkeypatch):
    row = ImageDescriptor.dimensions * 4
    ids = dataset.values("id")
    monkeypatch.setattr(checkpoints, "_MOST_BYTES", 3 * row)
    kept = Checkpoint("pieces")
    list(kept.resume(dataset))
    of = [0, 0, 1, 1, 2, 2, 2, 2, 3]  # the third has too many patches
    labels = tuple(map(str, range(len(of))))
    vectors = np.arange(len(of), dtype=np.float32)[:, None].repeat(row // 4, axis=1)
    kept.add(Part(tuple(ids[number] for number in of), vectors, labels))
    found = list(Checkpoint("pieces").resume(dataset))
    assert [part.label_ids for part in found] == [("0", "1"), ("2", "3"), ("8",)]
    assert [part.vectors[0, 0] for part in found] == [0, 2, 8]
    kept.discard()
    assert list(Checkpoint("pieces").resume(dataset)) == []


def test_embed_batch__can_be_sent_to_another_machine(dataset):
    images = tuple(np.full((8, 8, 3), shade, np.uint8) for shade in (10, 200))
    batch = ImageBatch(("a", "b"), images, ())
    task = pickle.dumps((embed_batch, batch))
    work, sent = pickle.loads(task)
    part = pickle.loads(
        pickle.dumps(work(lambda found: [ImageDescriptor().embed_all(found)], sent))
    )
    assert part.sample_ids == ("a", "b")
    assert np.array_equal(part.vectors, ImageDescriptor().embed_all(images))
