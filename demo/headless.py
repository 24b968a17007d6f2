"""The whole loop with no person: what a user does in the App, by the same operators.

    python -m demo.headless --seed 7

evaluate -> find confident false positives -> tag -> send -> annotators correct -> status -> pull
-> evaluate again. The last line that it prints is one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo.annotator import log_in, work
from demo.dataset import DemoFiles, build_dataset, score_dataset
from demo.services import REPOSITORY
from demo.truth import read_truth
from demo.world import Person, World, demo_world
from relabel.errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone as fo

DETECTOR = REPOSITORY / "demo" / "detector" / "saved_model"
ROUND = "fix_labels"
CONFIDENCE = 0.8
IMAGES_PER_JOB = 20


@dataclass(frozen=True)
class Outcome:
    """What the loop came to.

    Args:
        map_before: mAP of the detector on the test split as it was labelled
        map_after: the same predictions on the same split, after the round
        interval: where the difference of both lies with a confidence of 95 %, as the ledger of
            evaluations has it; None if the round changed no label
        labels_sent: how many labels went to annotators
        labels_corrected: how many labels the pull added, removed or changed
        errors_injected: how many label errors were put into the test split
        errors_found: how many of them are mended after the round
        seconds: how long the loop took, from the first evaluation to the last
    """

    map_before: float
    map_after: float
    interval: tuple[float, float] | None
    labels_sent: int
    labels_corrected: int
    errors_injected: int
    errors_found: int
    seconds: float


def run_loop(world: World, seed: int) -> Outcome:
    """Goes through the loop once, on a dataset of its own.

    Args:
        world: what it runs in
        seed: decides the images and the errors in their labels
    """
    files = DemoFiles(world.directory / f"digits-{seed}")
    say("Building 600 images with wrong labels")
    dataset = build_dataset(f"digits_{seed}", files.directory, seed)
    test = dataset.match_tags("test")
    say("Applying the detector to the test split")
    predicted = operate("apply_model", view=test, model_path=str(DETECTOR), run_on="here")
    say(f"  {predicted.get('predicted', predicted.get('samples'))} images")

    started = time.monotonic()
    before = evaluate(test, "before")
    found = operate("find_false_positives", view=test, eval_key="before", confidence=CONFIDENCE)
    say(f"{found['labels']} false positives above {CONFIDENCE} on {found['samples']} images")
    operate("tag_for_annotation", dataset=dataset, selected=found["sample_ids"])
    names = [person.name for person in world.team] if len(world.team) > 1 else []
    sent = operate(
        "send_to_cvat",
        dataset=dataset,
        what="tagged",
        label_field="ground_truth",
        key=ROUND,
        images_per_job=IMAGES_PER_JOB,
        assignees=names,
    )
    say(f"Sent {sent['images']} images with {sent['labels']} labels in {sent['jobs']} jobs")
    annotate(world, files, [task["id"] for task in sent["tasks"]])
    say(status(dataset))
    pulled = operate("pull_annotations", dataset=dataset, key=ROUND)
    say(f"Pulled {pulled['jobs']} jobs: {pulled['changes']}")
    after = evaluate(test, "after")
    seconds = time.monotonic() - started

    mended = score_dataset(test, _errors_of(test, files))
    return Outcome(
        map_before=before["map"],
        map_after=after["map"],
        interval=ledger_interval(dataset),
        labels_sent=sent["labels"],
        labels_corrected=sum(
            count for kind, count in pulled["counts"].items() if kind != "conflict"
        ),
        errors_injected=mended.total,
        errors_found=mended.hit,
        seconds=round(seconds, 1),
    )


def operate(
    name: str, *, view: Any = None, dataset: Any = None, selected: Any = (), **params: Any
) -> Any:
    """Runs an operator as the App does; returns its result."""
    import fiftyone.operators as foo

    target = {"view": view} if view is not None else {"dataset": dataset}
    context = {**target, "params": params, "selected": list(selected)}
    return foo.execute_operator(f"@relabel/cvat/{name}", context).result


def evaluate(view: fo.DatasetView, key: str) -> Any:
    """Evaluates the predictions under a key."""
    score = operate(
        "evaluate_detections",
        view=view,
        predictions="predictions",
        ground_truth="ground_truth",
        eval_key=key,
        run_on="here",
    )
    say(f"mAP {key}: {score['map']:.4f}")
    return score


def annotate(world: World, files: DemoFiles, task_ids: list[int]) -> None:
    """Lets the team correct its jobs, in CVAT and through CVAT only."""
    truth = read_truth(files.truth)
    for person in world.team:
        session = _session(world, person)
        own = None if len(world.team) > 1 else task_ids
        for done in work(session, world.cvat_url, person.name, truth, tasks=own):
            say(f"  {person.name or 'the annotator'}, {done}")


def status(dataset: fo.Dataset) -> str:
    """Where the round stands, in a line."""
    from relabel.annotation import connect, rounds_status

    (round_status,) = (s for s in rounds_status(dataset, connect()) if s.key == ROUND)
    return (
        f"Round {round_status.key}: {round_status.images_done} of {round_status.images} images "
        f"done, {round_status.unpulled_jobs} finished jobs to pull"
    )


def ledger_interval(dataset: fo.Dataset) -> tuple[float, float] | None:
    """What the ledger has of the round, since it was evaluated again by itself."""
    from relabel.evaluation.ledger.entries import load_entries

    intervals = [entry.difference for entry in load_entries(dataset) if entry.round_key == ROUND]
    return (intervals[-1].low, intervals[-1].high) if intervals and intervals[-1] else None


def table(outcome: Outcome) -> str:
    """The outcome for people."""
    low, high = outcome.interval or (0.0, 0.0)
    rows = [
        ("mAP before", f"{outcome.map_before:.4f}"),
        ("mAP after", f"{outcome.map_after:.4f}"),
        ("95 % of the difference", f"{low:+.3f} to {high:+.3f}"),
        ("labels sent", str(outcome.labels_sent)),
        ("labels corrected", str(outcome.labels_corrected)),
        ("errors injected", str(outcome.errors_injected)),
        ("errors found and fixed", str(outcome.errors_found)),
        ("seconds", f"{outcome.seconds:.1f}"),
    ]
    return "\n".join(f"  {name:<24}{value:>17}" for name, value in rows)


def say(text: str) -> None:
    """Tells a person what happens, beside the result."""
    print(text, file=sys.stderr, flush=True)


def _session(world: World, person: Person) -> requests.Session:
    if person.token:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {person.token}"
        return session
    return log_in(world.cvat_url, person.name, person.password or "")


def _errors_of(view: fo.DatasetView, files: DemoFiles) -> list[Any]:
    from demo.label_errors import read_errors

    names = {Path(path).name for path in view.values("filepath")}
    return [error for error in read_errors(files.errors) if error.file_name in names]


@contextlib.contextmanager
def _fresh(directory: Path) -> Iterator[World]:
    """A world without memories; the images of earlier runs are used again."""
    for name in ("database", "cvat"):
        shutil.rmtree(directory / name, ignore_errors=True)
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    os.environ["FIFTYONE_LOGGING_LEVEL"] = "WARNING"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    with demo_world(directory) as world:
        yield world


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directory", type=Path, default=REPOSITORY / ".demo" / "headless")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    try:
        with _fresh(options.directory) as world:
            outcome = run_loop(world, options.seed)
    except RelabelError as error:
        say(f"The loop stopped: {error}")
        return 1
    print(table(outcome))
    print(json.dumps(asdict(outcome)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
