"""Whether a detector learns more from chosen images than from random ones.

Training the demo's whole detector for each choice would take an hour. So its encoder is kept, and
what it says at every cell (its last layer, of 64 features) is learnt anew from the images.
"""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
from _measuring import figure

from _curation.vectors import embeddings_of

POOL, TESTED, EPOCHS, BATCH, RATE = 300, 120, 60, 8, 3e-3
_TEST_SEED = 7001


def beside_chance(chosen: int, seeds: int) -> list[dict[str, Any]]:
    """Learns from chosen and from random scenes of as many pools as there are seeds."""
    head = _Head()
    tested = _scenes(_TEST_SEED, TESTED, "test")
    ours, chance = [], []
    for seed in range(seeds):
        pool = _scenes(seed, POOL, "train")
        rows = np.random.default_rng(seed).choice(POOL, chosen, replace=False)
        for scores, taken in ((ours, _select(pool, chosen)), (chance, rows)):
            head.learn([pool[row] for row in taken], seed)
            scores.append(head.mean_average_precision(tested))
    gains = [one - other for one, other in zip(ours, chance, strict=True)]
    spread = statistics.stdev(gains) if seeds > 1 else float("nan")
    return [
        figure(
            f"100 x mAP after {chosen} chosen of {POOL}, beside random; gain {_signed(gains)} "
            f"+- {100 * spread:.1f} over {seeds} pools",
            100 * statistics.mean(ours),
            100 * statistics.mean(chance),
            "a gain of twice its standard error",
            met=statistics.mean(gains) > 2 * spread / seeds**0.5,
        )
    ]


def _signed(gains: list[float]) -> str:
    return f"{100 * statistics.mean(gains):+.1f}"


def _scenes(seed: int, count: int, split: str) -> list[Any]:
    from demo.scans import scan_indices
    from demo.scenes import make_scene

    scans = scan_indices(split)
    return [make_scene(np.random.default_rng([seed, k, 3]), scans) for k in range(count)]


def _select(scenes: list[Any], count: int) -> list[int]:
    """Chooses by the descriptor that is built in."""
    from relabel.curation.embedding.descriptors import ImageDescriptor
    from relabel.curation.selecting.selection import Wishes, select_unique

    vectors = ImageDescriptor().embed_all([scene.image for scene in scenes])
    found = select_unique(embeddings_of(vectors), Wishes(count))
    return [int(key) for key in found.sample_ids]


class _Head:
    """The detector with a last layer that is learnt anew."""

    def __init__(self) -> None:
        import keras
        import tensorflow as tf

        from demo.detector.export import SAVED_MODEL, Detector
        from demo.detector.network import build_network

        network = build_network()
        trained = tf.saved_model.load(str(SAVED_MODEL))
        for variable, value in zip(network.variables, trained.weights, strict=True):
            variable.assign(value)
        self._layers = [layer for layer in network.layers if _makes_outputs(layer)]
        features = self._layers[0].input
        self._encoder = keras.Model(network.input, features)
        given = keras.Input(features.shape[1:])
        self._last = keras.Model(
            given, keras.layers.Concatenate()([layer(given) for layer in self._layers])
        )
        self._fresh = build_network  # its last layers know nothing yet
        self._detector = Detector(network)

    def learn(self, scenes: list[Any], seed: int) -> None:
        """Forgets, and learns from scenes."""
        import keras

        from demo.detector.targets import grey_half, loss, target_of

        keras.utils.set_random_seed(seed)
        fresh = [layer for layer in self._fresh().layers if _makes_outputs(layer)]
        for layer, new in zip(self._layers, fresh, strict=True):
            layer.set_weights(new.get_weights())
        images = np.stack([grey_half(scene.image) for scene in scenes]).astype(np.float32) / 255
        targets = np.stack([target_of(scene) for scene in scenes])
        features = self._encoder.predict(images, batch_size=BATCH, verbose=0)
        self._last.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss, jit_compile=False)
        self._last.fit(features, targets, batch_size=BATCH, epochs=EPOCHS, verbose=0)

    def mean_average_precision(self, scenes: list[Any]) -> float:
        """Of what it finds in scenes."""
        from demo.detector.evaluate import coco_map, predictions_of
        from demo.detector.train import labels_of

        found = []
        for start in range(0, len(scenes), BATCH):
            images = np.stack([scene.image for scene in scenes[start : start + BATCH]])
            outputs = self._detector(images)
            found += predictions_of({name: value.numpy() for name, value in outputs.items()})
        names = [f"{number:04d}" for number in range(len(scenes))]
        labels = {name: labels_of(scene) for name, scene in zip(names, scenes, strict=True)}
        return coco_map(labels, dict(zip(names, found, strict=True)))[0]


def _makes_outputs(layer: Any) -> bool:
    """Whether a layer is one of the two that say what is at a cell."""
    from demo.detector.network import CLASS_COUNT

    return getattr(layer, "filters", None) in (CLASS_COUNT, 4)
