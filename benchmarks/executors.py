"""Executors: heavy work on other machines, and what becomes of it when something dies.

    .venv/bin/python benchmarks/executors.py [--only delegation | leaving]
    .venv/bin/python benchmarks/executors.py --only ray [--images 2400] [--rows 200000]
    .venv/bin/python benchmarks/executors.py --faults 50 [--seed 0] [--first 0] [--kinds app]
    .venv/bin/python benchmarks/executors.py --faults 9 --operators send_to_cvat pull_annotations

The rounds of faults are run where they are asked for: each queues an operation, kills something
at a random moment, and compares the outcome with that of an undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from _executors import delegation, leaving, places, ray
from _executors.disturbing import FAULTS

from demo.services import fiftyone_environment, link_plugin, mongod

PARTS = ("delegation", "leaving", "ray")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2400, help="embedded over Ray")
    parser.add_argument("--rows", type=int, default=200_000, help="selected from in shards")
    parser.add_argument("--faults", type=int, default=0, help="rounds of faults, and nothing else")
    parser.add_argument("--seed", type=int, default=0, help="of the rounds")
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--kinds", nargs="+", choices=FAULTS, default=(), help="of faults")
    parser.add_argument("--operators", nargs="+", default=(), help="that are disturbed")
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    options = parser.parse_args()
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with tempfile.TemporaryDirectory(
        prefix="relabel-executors-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        with mongod(folder / "database") as uri:
            environment = fiftyone_environment(uri, folder / "home", link_plugin(folder / "p"))
            os.environ.update(environment)
            print(json.dumps(measure(folder, options)))


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All figures that are asked for."""
    if options.faults:
        rounds = range(options.first, options.first + options.faults)
        return places.figures(folder, rounds, options.seed, options.kinds, options.operators)
    figures: list[dict[str, Any]] = []
    if options.only in (None, "delegation"):
        figures += delegation.overhead(folder)
    if options.only in (None, "leaving"):
        figures += leaving.figures(folder)
    if options.only in (None, "ray"):
        figures += ray.figures(folder, options.images, options.rows)
    return figures


if __name__ == "__main__":
    main()
