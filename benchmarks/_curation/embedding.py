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

    Ours reads, decodes and resizes files while the model is at work, and on CPU cores gives it
    each batch as two halves side by side. The bare model is called as one usually would, with a
    whole batch that is a tensor already, again and again. As halves side by side are faster, the
    bare model is measured in that way as well: what is missing then is what reading costs.

    Others may use the machine: all are measured in turn, each time in another order, and what
    counts is the median of the ratios of two that follow one another.

    Args:
        folder: where the photographs are written
        images: how many
    """
    from relabel.curation.embedding.embeddings import compute_embeddings
    from relabel.curation.embedding.keras_models import load_application

    dataset = make_photographs(folder, images)
    model = load_application("MobileNetV2", None)
    ready = model.as_tensor(
        np.random.default_rng(0).integers(0, 256, (BATCH, *model.input_size, 3), dtype=np.uint8)
    )
    np.asarray(model.embed_ready(ready))  # TensorFlow compiles at the first call
    batches = max(1, images // BATCH)

    def run_bare(embed: Callable[[Any], Any] = model.embed_ready) -> None:
        for _ in range(batches):
            np.asarray(embed(ready))

    runs: dict[str, Callable[[], Any]] = {
        "bare": run_bare,
        "ours": lambda: compute_embeddings(dataset, model, source="test", batch_size=BATCH),
        "side by side": lambda: run_bare(model.embed_side_by_side),
    }
    done = {"bare": batches * BATCH, "ours": images, "side by side": batches * BATCH}
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            rates[name].append(done[name] / seconds(runs[name]))
    beside_bare, beside_halves = (
        sorted(np.divide(rates["ours"], rates[peer]).tolist()) for peer in ("bare", "side by side")
    )
    ratio = statistics.median(beside_bare)
    return [
        figure(
            "embed photographs, images a second, beside the bare model on ready tensors (median "
            f"of {ROUNDS} ratios {ratio:.2f}, from {beside_bare[0]:.2f} to {beside_bare[-1]:.2f}; "
            "beside the bare model on halves side by side "
            f"{statistics.median(beside_halves):.2f})",
            statistics.median(rates["ours"]),
            statistics.median(rates["bare"]),
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
