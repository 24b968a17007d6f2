"""Trains the demo's detector on scenes of its own and writes its SavedModel.

    python -m demo.detector.train

The scenes are made of scans of the train side only, from seeds no dataset uses. A part of those
scans is held back: on scenes made of them the scores are calibrated.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from demo.detector.evaluate import BATCH, judged, predictions_of
from demo.detector.export import SAVED_MODEL, Detector, save_detector
from demo.detector.network import build_network
from demo.detector.targets import grey_half, loss, target_of
from demo.scans import scan_indices
from demo.scenes import Scene, SceneStyle, make_scene, relative_box
from demo.truth import Label

# Far from the seeds of datasets, whose generators are seeded with two numbers, not three.
TRAINING_SEED = (1001, 1)
CALIBRATION_SEED = (1001, 2)
HELD_BACK = 0.15
# Fuller scenes than the dataset's: more to learn from in the same time.
STYLE = SceneStyle(width=512, height=384, digits=(7, 16))


def divide_scans() -> tuple[np.ndarray, np.ndarray]:
    """The scans to learn from and those held back for calibration, all of the train side."""
    scans = np.random.default_rng(TRAINING_SEED).permutation(scan_indices("train"))
    border = round(HELD_BACK * len(scans))
    return scans[border:], scans[:border]


def training_scenes(count: int, scans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scenes as the network sees them, and their targets."""
    made = (
        make_scene(np.random.default_rng([*TRAINING_SEED, number]), scans, STYLE)
        for number in range(count)
    )
    pairs = [(grey_half(scene.image), target_of(scene)) for scene in made]
    return np.stack([image for image, _ in pairs]), np.stack([target for _, target in pairs])


def train_network(images: np.ndarray, targets: np.ndarray, epochs: int, batch: int) -> keras.Model:
    """Trains a new network.

    Args:
        images: uint8 [N, H/2, W/2, 1].
        targets: from `target_of`, [N, H/8, W/8, C].
        epochs: how often each scene is seen.
        batch: scenes per step.
    """
    keras.utils.set_random_seed(TRAINING_SEED[0])
    network = build_network()
    steps = epochs * (len(images) // batch)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, alpha=0.01, warmup_target=3e-3, warmup_steps=steps // 20
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3, clipnorm=5.0)
    network.compile(optimizer=optimizer, loss=loss, jit_compile=False)
    data = (
        tf.data.Dataset.from_tensor_slices((images, targets))
        .shuffle(len(images), seed=TRAINING_SEED[0])
        .batch(batch, drop_remainder=True)
        .map(_vary)
        .prefetch(2)
    )
    network.fit(data, epochs=epochs, shuffle=False, verbose=2)
    # A network that knows of no optimizer: its state would triple the SavedModel.
    finished = build_network()
    finished.set_weights(network.get_weights())
    return finished


def _vary(images: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Another brightness, contrast and grain at every look."""
    shape = (tf.shape(images)[0], 1, 1, 1)
    x = tf.cast(images, tf.float32) / 255
    x = x * tf.random.uniform(shape, 0.75, 1.25) + tf.random.uniform(shape, -0.06, 0.06)
    return x + tf.random.normal(tf.shape(x), stddev=0.012), targets


def calibrate(network: keras.Model, scans: np.ndarray, count: int) -> tuple[float, float]:
    """Platt scaling: the line from a logit to the logit of being right, by logistic regression.

    Args:
        network: the trained network.
        scans: scans it has not seen.
        count: how many scenes to look at.
    """
    from sklearn.linear_model import LogisticRegression

    detector = Detector(network)
    scores, right = [], []
    for start in range(0, count, BATCH):
        scenes = [
            make_scene(np.random.default_rng([*CALIBRATION_SEED, number]), scans)
            for number in range(start, min(count, start + BATCH))
        ]
        outputs = detector(np.stack([scene.image for scene in scenes]))
        found = predictions_of({name: value.numpy() for name, value in outputs.items()})
        labels = {str(number): labels_of(scene) for number, scene in enumerate(scenes)}
        predictions = {str(number): one for number, one in enumerate(found)}
        for _, prediction, verdict in judged(labels, predictions):
            scores.append(prediction.confidence)
            right.append(verdict)
    chances = np.clip(scores, 1e-6, 1 - 1e-6)
    logits = np.log(chances / (1 - chances))[:, None]
    fitted = LogisticRegression(C=1e6).fit(logits, right)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def labels_of(scene: Scene) -> list[Label]:
    """The true labels of a scene."""
    height, width = scene.image.shape[:2]
    return [
        Label("", str(one.digit), relative_box(one.box, width, height), iscrowd=one.iscrowd)
        for one in scene.objects
    ]


def main() -> None:
    """Trains, calibrates, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=1800)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--calibration-scenes", type=int, default=250)
    parser.add_argument("--output", type=Path, default=SAVED_MODEL)
    options = parser.parse_args()
    started = time.monotonic()
    seen, held_back = divide_scans()
    images, targets = training_scenes(options.scenes, seen)
    print(f"{len(images)} scenes after {time.monotonic() - started:.0f} s", flush=True)
    network = train_network(images, targets, options.epochs, options.batch)
    slope, offset = calibrate(network, held_back, options.calibration_scenes)
    size = save_detector(Detector(network, slope, offset), options.output)
    print(
        f"{network.count_params()} weights, {size / 1e6:.2f} MB, score = "
        f"sigmoid({slope:.2f} logit {offset:+.2f}), {time.monotonic() - started:.0f} s in all"
    )


if __name__ == "__main__":
    main()
