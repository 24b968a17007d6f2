"""The demo for a person: the App on the demo's dataset, with everything around it running.

python -m demo.app
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from demo.annotator import AnnotatorError, give_job, jobs_of_nobody, log_in, work
from demo.dataset import SEED, DemoFiles, build_dataset
from demo.ending import TERMINATED, ends_when_told
from demo.headless import DETECTOR, evaluate, operate, say
from demo.services import REPOSITORY, app_server, free_port, is_free, program
from demo.truth import Truth, read_truth
from demo.world import Person, World, demo_world
from relabel.errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone as fo

DATASET = "relabel-demo"
WORKSPACE = "annotate"
PAUSE_SECONDS = 8.0
EXECUTOR_TARGET = "gpu"
_PORT = 5151

_WELCOME = """
  FiftyOne   {url}
  CVAT       {cvat}{log_in}

  Three things to click:
  1. Press ` (the key left of 1), choose "Find false positives", tick "Tag the samples found",
     Find: the grid shows the images where the detector is sure and the label disagrees.
  2. "Send to CVAT" in the panel beside the grid, then Send: the images of the grid go out.
  3. In the CVAT panel beside the grid, watch the jobs{colleagues}.
     Then Pull, look at what it would change, Merge: the detector is evaluated again by itself.

  The Improvement panel, in the tab beside the CVAT panel, shows what that did to the mAP.

  Ctrl-C ends everything.
"""


def prepare(world: World, seed: int) -> fo.Dataset:
    """Builds the dataset with predictions and an evaluation, or takes the one that is there."""
    import fiftyone as fo

    if fo.dataset_exists(DATASET):
        dataset = fo.load_dataset(DATASET)
        if dataset.has_evaluation("eval"):
            return dataset
    say("Building 600 images with wrong labels")
    dataset = build_dataset(DATASET, _files(world).directory, seed)
    say("Applying the detector (about a minute)")
    operate("apply_model", dataset=dataset, model_path=str(DETECTOR), run_on="here")
    say("Evaluating it on the test split")
    test = dataset.match_tags("test")
    evaluate(test, "eval")
    dataset.save_view("test", test)
    _save_layout(dataset)
    return dataset


@contextlib.contextmanager
def executor(world: World) -> Iterator[None]:
    """Runs an executor for delegated operations meanwhile."""
    command = [sys.executable, "-m", "relabel.compute.executor", "--target", EXECUTOR_TARGET]
    variables = {**os.environ, **world.environment}
    with program(command, world.directory / "executor.log", variables):
        yield


def start_colleagues(world: World, truth: Truth) -> None:
    """Lets the team of the stand-in CVAT correct all jobs, at a person's pace.

    Jobs that nobody has been given are shared out, as the head of a team would do.
    """
    for person in world.team:
        threading.Thread(target=_annotate, args=(world, person, truth), daemon=True).start()
    threading.Thread(target=_share_out, args=(world,), daemon=True).start()


def _share_out(world: World) -> None:
    with contextlib.suppress(AnnotatorError):  # the server is going down
        session = log_in(world.cvat_url, world.lead.name, world.lead.password or "")
        team = itertools.cycle(person.name for person in world.team)
        while True:
            for job_id in jobs_of_nobody(session, world.cvat_url):
                give_job(session, world.cvat_url, job_id, next(team))
            time.sleep(PAUSE_SECONDS / 2)


def _annotate(world: World, person: Person, truth: Truth) -> None:
    with contextlib.suppress(AnnotatorError):  # the server is going down
        session = log_in(world.cvat_url, person.name, person.password or "")
        done = work(session, world.cvat_url, person.name, truth, watch=True, pause=PAUSE_SECONDS)
        for corrections in done:
            say(f"  {person.name} in CVAT, {corrections}")


def _save_layout(dataset: fo.Dataset) -> None:
    """The grid with the CVAT panel beside it, and behind that the ledger and the operations."""
    import fiftyone as fo

    samples = fo.Panel(type="Samples", pinned=True)
    rounds = fo.Panel(type="cvat_status")
    behind = [fo.Panel(type="improvement"), fo.Panel(type="operations")]
    spaces = fo.Space(
        children=[
            fo.Space(children=[samples], active_child=samples.component_id),
            fo.Space(children=[rounds, *behind], active_child=rounds.component_id),
        ],
        orientation="horizontal",
        sizes=[0.55, 0.45],
    )
    dataset.save_workspace(WORKSPACE, spaces, overwrite=True)


def _files(world: World) -> DemoFiles:
    return DemoFiles(world.directory / "digits")


def _welcome(world: World, url: str) -> str:
    people = ", ".join(person.name for person in world.team)
    stand_in = len(world.team) > 1
    return _WELCOME.format(
        url=f"{url}/datasets/{DATASET}?workspace={WORKSPACE}",
        cvat=world.cvat_url,
        log_in=" (a stand-in; a job's page lets you correct its boxes)" if stand_in else "",
        colleagues=f" while {people} correct them" if stand_in else "",
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--directory", type=Path, default=REPOSITORY / ".demo" / "app")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("FIFTYONE_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        with (
            demo_world(options.directory) as world,
            contextlib.ExitStack() as stack,
            ends_when_told(),
        ):
            prepare(world, options.seed)
            if len(world.team) > 1:
                start_colleagues(world, read_truth(_files(world).truth))
            stack.enter_context(executor(world))
            port = _PORT if is_free(_PORT) else free_port()
            url = stack.enter_context(app_server(world.environment, port))
            print(_welcome(world, url), flush=True)
            if not options.no_browser:
                webbrowser.open(f"{url}/datasets/{DATASET}?workspace={WORKSPACE}")
            signal.pause()
    except RelabelError as error:
        say(f"The demo stopped: {error}")
        return 1
    except KeyboardInterrupt:
        say("Bye.")
    except SystemExit as told:
        os._exit(int(told.code or 0))  # all is ended; threads of libraries would hold it up
    return 0


if __name__ == "__main__":
    sys.exit(main())
