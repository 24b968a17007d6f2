"""Prints how many images a second the bare model takes on one thread.

    python bare_model.py FILE MOMENT SECONDS

It is measured from a moment on, so that several begin together.
"""

from __future__ import annotations

import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

BATCH, SIDE = 8, 224


def main() -> None:
    """The command line."""
    import keras
    import tensorflow as tf

    path, at, lasting = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = keras.saving.load_model(path, compile=False)
    images = tf.random.uniform((BATCH, SIDE, SIDE, 3))
    apply = tf.function(lambda batch: model(batch, training=False))
    apply(images)
    while time.time() < at:
        apply(images)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < lasting:
        apply(images).numpy()
        done += BATCH
    print(done / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
