"""Executors: heavy work on other machines.

.venv/bin/python benchmarks/executors.py [--only ray] [--images 4000] [--rows 200000]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from _executors import ray

from demo.services import fiftyone_environment, link_plugin, mongod

PARTS = ("ray",)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=4000, help="embedded over Ray")
    parser.add_argument("--rows", type=int, default=200_000, help="selected from in shards")
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    options = parser.parse_args()
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with tempfile.TemporaryDirectory(prefix="relabel-executors-") as name:
        folder = Path(name)
        with mongod(folder / "database") as uri:
            environment = fiftyone_environment(uri, folder / "home", link_plugin(folder / "p"))
            os.environ.update(environment)
            print(json.dumps(measure(folder, options)))


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All figures that are asked for."""
    figures: list[dict[str, Any]] = []
    if options.only in (None, "ray"):
        figures += ray.figures(folder, options.images, options.rows)
    return figures


if __name__ == "__main__":
    main()
