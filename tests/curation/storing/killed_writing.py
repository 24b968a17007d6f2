"""A process that is killed while it writes uniqueness: ``python killed_writing.py DATASET``."""

from __future__ import annotations

import os
import signal
import sys

import fiftyone as fo
import numpy as np

from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.uniqueness import compute_uniqueness


def main(name: str) -> None:
    write = fo.Dataset.set_values

    def write_half(dataset, field, values, **options):
        half = dict(list(values.items())[: len(values) // 2])
        write(dataset, field, half, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    fo.Dataset.set_values = write_half
    dataset = fo.load_dataset(name)
    ids = tuple(dataset.values("id"))
    vectors = np.random.default_rng(1).normal(size=(len(ids), 4)).astype(np.float32)
    compute_uniqueness(dataset, Embeddings(ids, vectors, "test"), "uniqueness")


if __name__ == "__main__":
    main(sys.argv[1])
