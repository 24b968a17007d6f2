"""Work over the nodes of a Ray cluster: two workers beside one, four shards beside one machine."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from _measuring import figure

from . import bare_model
from .nodes import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fiftyone.core.collections import SampleCollection

    from relabel.compute.cluster.ray_cluster import Cluster
    from relabel.compute.inference.recipes import Recipe

LEAST_SPEED_UP = 1.7
SHARDS, TURNS = 4, 3
_SIDE = 96
_WARM_UP = 0.2
_STARTING_SECONDS, _BARE_SECONDS = 15, 8


def figures(folder: Path, images: int, rows: int) -> list[dict[str, Any]]:
    """All figures of this part.

    Args:
        folder: where images and a model are written
        images: how many are embedded by one worker, then by two
        rows: how many vectors are selected from here, then in four shards
    """
    with _cluster(nodes=2) as cluster:
        found = two_workers(folder, images, cluster)
    with _cluster(nodes=SHARDS) as cluster:
        return [*found, *four_shards(rows, cluster)]


def two_workers(folder: Path, images: int, cluster: Cluster) -> list[dict[str, Any]]:
    """The rate of two workers, on one core each, beside that of one, once all are at work.

    What two cores do beside one depends on the machine: so the bare model is measured as well, in
    one process and in two, on one thread each. All are measured in turn, each time in another
    order, and what counts is the median of the ratios.
    """
    view, model = _images(folder, images), _model(folder)
    path = model.args[0]
    runs: dict[str, Callable[[], float]] = {
        "one": lambda: _rate(view, model, replace(cluster, cpus=1)),
        "two": lambda: _rate(view, model, cluster),
        "one bare": lambda: _bare_rate(path, 1),
        "two bare": lambda: _bare_rate(path, 2),
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(TURNS):
        for name in list(runs)[:: -1 if turn % 2 else 1]:
            rates[name].append(runs[name]())
    ratio, bare = (
        float(np.median(np.divide(rates[f"two{kind}"], rates[f"one{kind}"])))
        for kind in ("", " bare")
    )
    return [
        figure(
            f"embed images with 2 Ray workers (peer: 1), images/s (median of {TURNS} ratios "
            f"{ratio:.2f}; two processes with the bare model beside one: {bare:.2f})",
            float(np.median(rates["two"])),
            float(np.median(rates["one"])),
            f"ratio >= {LEAST_SPEED_UP}",
            met=ratio >= LEAST_SPEED_UP,
        )
    ]


def four_shards(rows: int, cluster: Cluster) -> list[dict[str, Any]]:
    """The selection from shards beside that of one machine: the same, and how long both take."""
    from relabel.curation.embedding.embeddings import Embeddings
    from relabel.curation.selecting.selection import Wishes, select_unique

    vectors = np.random.default_rng(0).normal(size=(rows, 128)).astype(np.float32)
    embeddings = Embeddings(tuple(map(str, range(rows))), vectors, "random")
    wishes = Wishes(rows // 200)
    began = time.perf_counter()
    here = select_unique(embeddings, wishes)
    middle = time.perf_counter()
    there = select_unique(embeddings, wishes, cluster=cluster)
    ended = time.perf_counter()
    same = sum(a == b for a, b in zip(here.sample_ids, there.sample_ids, strict=True))
    count = len(here.sample_ids)
    chosen = f"choices of {count:,} out of {rows:,} that 4 shards make as one machine does"
    seconds = f"select {count:,} of {rows:,} in 4 shards on this machine (peer: no Ray), seconds"
    return [
        figure(chosen, same, count, "all", met=there == here),
        figure(seconds, ended - middle, middle - began, "told, not held", met=True),
    ]


def _bare_rate(path: str, processes: int) -> float:
    """Images in a second that the bare model takes in so many processes at the same time."""
    at = time.time() + _STARTING_SECONDS
    command = [sys.executable, bare_model.__file__, path, str(at), str(_BARE_SECONDS)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(processes)
    ]
    return sum(float(one.communicate()[0]) for one in running)


def _rate(view: SampleCollection, model: Recipe, cluster: Cluster) -> float:
    """Images in a second once every worker is at work.

    They come in bursts, so it is the slope of the line that lies nearest to all their moments.
    """
    from relabel.curation.embedding.ray_parts import embed_parts_on

    done, moments = 0, []
    for part in embed_parts_on(cluster, view, model, batch_size=bare_model.BATCH):
        done += part.samples
        moments.append((time.perf_counter(), done))
    times, counts = np.array([one for one in moments if one[1] >= done * _WARM_UP]).T
    return float(np.polyfit(times - times[0], counts, 1)[0])


@contextmanager
def _cluster(nodes: int) -> Iterator[Cluster]:
    """A cluster of this machine alone, with one core for each node."""
    from relabel.compute.cluster.ray_cluster import connected

    with started(nodes, memory_mib=256) as there, connected(there.address) as cluster:
        assert cluster is not None  # noqa: S101 - there is an address
        yield cluster


def _images(folder: Path, count: int) -> SampleCollection:
    """Small pictures: reading them takes next to nothing."""
    import fiftyone as fo

    generator = np.random.default_rng(0)
    samples = []
    for number in range(count):
        path = folder / f"{number}.png"
        pixels = generator.integers(0, 255, (_SIDE, _SIDE, 3), np.uint8)
        cv2.imwrite(str(path), pixels)
        samples.append(fo.Sample(filepath=str(path)))
    dataset = fo.Dataset()
    dataset.add_samples(samples, progress=False)
    return dataset


def _model(folder: Path) -> Recipe:
    """MobileNetV2 for pictures of 224 pixels, with weights of no meaning."""
    import keras

    from relabel.compute.inference.recipes import recipe
    from relabel.curation.embedding.keras_models import load_model_file

    path = str(folder / "model.keras")
    keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg").save(path)
    return recipe(load_model_file, path, reads=path, pixels="-1 to 1")
