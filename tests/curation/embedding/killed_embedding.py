"""A process that is killed while it embeds: ``python killed_embedding.py DATASET AFTER``."""

from __future__ import annotations

import os
import signal
import sys

import fiftyone as fo

from relabel.curation.embedding import checkpoints
from relabel.curation.embedding.checkpoints import Checkpoint
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import compute_embeddings

MADE_BY = "killed"


def main(name: str, after: int) -> None:
    checkpoints._SECONDS = 0.0

    def progress(done: int, _: int) -> None:
        if done == after:
            os.kill(os.getpid(), signal.SIGKILL)

    compute_embeddings(
        fo.load_dataset(name),
        ImageDescriptor(),
        source="descriptor",
        batch_size=1,
        progress=progress,
        checkpoint=Checkpoint(MADE_BY),
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
