"""How fast images are embedded, beside the bare model on tensors that are ready."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from _measuring import figure
from PIL import Image
from skimage import data

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BATCH, ROUNDS, OF_BARE = 32, 7, 0.9
PHOTO = (640, 480)


def beside_bare_model(folder: Path, images: int) -> list[dict[str, Any]]:
    """Embeds photographs of 640 x 480 from disk with MobileNetV2, whose weights are random.

    Others may use the machine: both are measured in turn, each time in the other order, and what
    counts is the median of the ratios of two that follow one another.

    Args:
        folder: where the photographs are written
        images: how many
    """
    from relabel.curation.embeddings import compute_embeddings
    from relabel.curation.keras_models import load_application

    dataset = make_photographs(folder, images)
    model = load_application("MobileNetV2", None)
    ready = model.as_tensor(
        np.random.default_rng(0).integers(0, 256, (BATCH, *model.input_size, 3), dtype=np.uint8)
    )
    np.asarray(model.embed_ready(ready))  # TensorFlow compiles at the first call
    batches = max(1, images // BATCH)

    def run_bare() -> None:
        for _ in range(batches):
            np.asarray(model.embed_ready(ready))

    def run_ours() -> None:
        compute_embeddings(dataset, model, source="MobileNetV2", batch_size=BATCH)

    ours, bare = [], []
    for number in range(ROUNDS):
        for run in (run_ours, run_bare) if number % 2 else (run_bare, run_ours):
            took = seconds(run)
            if run is run_ours:
                ours.append(images / took)
            else:
                bare.append(batches * BATCH / took)
    ratios = sorted(one / other for one, other in zip(ours, bare, strict=True))
    ratio = statistics.median(ratios)
    return [
        figure(
            "embed photographs, images a second, beside the bare model on ready tensors (median "
            f"of {ROUNDS} ratios {ratio:.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f})",
            statistics.median(ours),
            statistics.median(bare),
            f"ratio >= {OF_BARE}",
            met=ratio >= OF_BARE,
        )
    ]


def make_photographs(folder: Path, images: int) -> Any:
    """A dataset of JPEG files, cut from a few photographs."""
    import fiftyone as fo

    sources = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    generator = np.random.default_rng(0)
    paths = []
    for number in range(images):
        photo = Image.fromarray(sources[number % len(sources)])
        left, top = generator.integers(0, 40, 2)
        cut = photo.crop((left, top, photo.width - 40 + left, photo.height - 40 + top))
        paths.append(folder / f"{number}.jpg")
        cut.resize(PHOTO).save(paths[-1], quality=90)
    dataset = fo.Dataset("photographs")
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths], progress=False)
    return dataset


def seconds(work: Callable[[], None]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
