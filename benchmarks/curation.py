"""Curation: choosing images, beside stock FiftyOne.

    .venv/bin/python benchmarks/curation.py [--some 20000] [--many 1000000] [--scored 100000]
    .venv/bin/python benchmarks/curation.py --only embedded
    .venv/bin/python benchmarks/curation.py --only learnt [--seeds 5]

Vectors of 512 numbers, as models make them, are made first; `--many` of them take 2 kB each on
disk. Stock FiftyOne takes minutes for what it is compared on; nothing stands beside the selection
of `--many`, which stock does not finish. Choosing is judged by what a detector learns.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from _curation import embedding, scoring, selecting, training

from demo.services import fiftyone_environment, link_plugin, mongod

PARTS = ("some", "many", "gpu", "scored", "embedded", "learnt")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--some", type=int, default=20_000, help="selected from, beside stock")
    parser.add_argument("--many", type=int, default=1_000_000, help="selected from, on disk")
    parser.add_argument("--scored", type=int, default=100_000, help="scored, beside stock")
    parser.add_argument("--embedded", type=int, default=512, help="photographs to embed")
    parser.add_argument("--learnt", type=int, default=30, help="scenes a detector learns from")
    parser.add_argument(
        "--seeds", type=int, default=5, help="pools of scenes to choose those from"
    )
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    options = parser.parse_args()
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with tempfile.TemporaryDirectory(prefix="relabel-curation-") as name:
        folder = Path(name)
        with mongod(folder / "database") as uri:
            environment = fiftyone_environment(uri, folder / "home", link_plugin(folder / "p"))
            os.environ.update(environment)
            print(json.dumps(measure(folder, options)))


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All figures that are asked for."""
    figures: list[dict[str, Any]] = []
    if options.only in (None, "some"):
        figures += selecting.beside_stock(folder, options.some, chosen=options.some // 40)
    if options.only in (None, "many"):
        figures += selecting.from_disk(folder, options.many, chosen=options.many // 1000)
    if options.only in (None, "gpu"):
        figures += selecting.on_gpu(folder, options.many, chosen=options.many // 1000)
    if options.only in (None, "scored"):
        figures += scoring.beside_stock(folder, options.scored)
    if options.only in (None, "embedded"):
        figures += embedding.beside_bare_model(folder, options.embedded)
    if options.only in (None, "learnt"):
        figures += training.beside_chance(options.learnt, options.seeds)
    return figures


if __name__ == "__main__":
    main()
