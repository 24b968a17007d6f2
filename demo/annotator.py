"""A scripted annotator: corrects jobs on a CVAT server, as a colleague with a browser would.

    python -m demo.annotator --url URL --username NAME --truth truth.json --watch --pause 2

The password comes from the variable CVAT_PASSWORD (CVAT_URL and CVAT_USERNAME are read too), or
from --password. Plain requests on purpose: it shares no code with what it is there to test.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo.corrections import Edits, Vocabulary, plan_edits
from demo.truth import ImageTruth, Truth, read_truth
from relabel.errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 60
POLL_SECONDS = 2.0


class AnnotatorError(RelabelError):
    """The annotator cannot go on: no log-in, or the server refuses."""


@dataclass(frozen=True)
class Corrections:
    """What was done in one job, counted in labels.

    Attributes:
        job_id: the job.
        counts: by kind: see `demo.corrections.Edits`; "unknown image" counts the frames whose
            truth is not known.
    """

    job_id: int
    counts: dict[str, int]

    @property
    def edits(self) -> int:
        """Number of edits that were made."""
        idle = ("untouched", "impossible", "unknown image")
        return sum(count for kind, count in self.counts.items() if kind not in idle)

    def __str__(self) -> str:
        done = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
        return f"job {self.job_id}: {done or 'nothing to look at'}"


def log_in(url: str, username: str, password: str) -> requests.Session:
    """A session that is logged in.

    Raises:
        AnnotatorError: if the server does not take the name and the password.
    """
    session = requests.Session()
    answer = _call(
        session,
        "POST",
        f"{url.rstrip('/')}/api/auth/login",
        json={"username": username, "password": password},
    )
    session.cookies.clear()
    session.headers["Authorization"] = f"Token {answer['key']}"
    return session


def find_truth(file_name: str, truth: Truth) -> ImageTruth | None:
    """The truth of an uploaded file, whatever was put in front of its name.

    The rule: folders do not count. Of the images whose name is the end of the file's name, with
    nothing or no letter or digit before it, the one with the longest name; where there is none,
    the same without extensions, as a server may store another format.
    """
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    by_name = {image.file_name: image for image in truth.images}
    by_stem = {Path(image.file_name).stem: image for image in truth.images}
    return _longest_end(name, by_name) or _longest_end(Path(name).stem, by_stem)


def _longest_end(name: str, images: dict[str, ImageTruth]) -> ImageTruth | None:
    starts = (0, *(found.end() for found in re.finditer(r"[\W_]", name)))
    return next((images[name[start:]] for start in starts if name[start:] in images), None)


def correct_job(session: requests.Session, url: str, job_id: int, truth: Truth) -> Corrections:
    """Brings the annotations of a job to the truth with the fewest edits, and completes it.

    Args:
        session: logged in as somebody who may change the job.
        url: the server.
        job_id: the job.
        truth: of every image that may be in it.

    Raises:
        AnnotatorError: if the server refuses; the job is not completed then.
    """
    job = f"{url.rstrip('/')}/api/jobs/{job_id}"
    _call(session, "PATCH", job, json={"state": "in progress"})
    labels = _call(
        session,
        "GET",
        f"{url.rstrip('/')}/api/labels",
        params={"job_id": job_id, "page_size": 500},
    )
    meta = _call(session, "GET", f"{job}/data/meta")
    annotations = _call(session, "GET", f"{job}/annotations")
    edits = _plan(meta, annotations["shapes"], Vocabulary.of(labels["results"]), truth)
    for action in ("delete", "update", "create"):
        shapes = getattr(edits, action)
        if shapes:
            _call(
                session,
                "PATCH",
                f"{job}/annotations",
                params={"action": action},
                json={"shapes": shapes, "tags": [], "tracks": []},
            )
    _call(session, "PATCH", job, json={"state": "completed"})
    return Corrections(job_id, dict(edits.counts))


def _plan(
    meta: dict[str, Any], shapes: list[dict[str, Any]], vocabulary: Vocabulary, truth: Truth
) -> Edits:
    """The edits of all frames of a job.

    Annotations carry frame numbers of the task, 0 for its first image; `start_frame` of a job's
    meta is the task's number of the job's first one.
    """
    edits = Edits()
    deleted = set(meta["deleted_frames"])
    for frame, described in enumerate(meta["frames"], start=meta["start_frame"]):
        if frame in deleted:
            continue
        image = find_truth(described["name"], truth)
        if image is None:
            edits.counts["unknown image"] += 1
            continue
        on_frame = [shape for shape in shapes if shape["frame"] == frame]
        plan_edits(image, frame, on_frame, vocabulary, edits)
    return edits


def open_jobs(
    session: requests.Session, url: str, username: str, tasks: list[int] | None = None
) -> list[int]:
    """Ids of the jobs that are not completed, oldest first.

    Args:
        session: logged in.
        url: the server.
        username: whose jobs, when no tasks are named.
        tasks: all jobs of these tasks, whoever they are assigned to.
    """
    queries = [{"task_id": task} for task in tasks] if tasks else [{"assignee": username}]
    jobs = []
    for query in queries:
        params = {**query, "type": "annotation", "page_size": "all"}
        jobs += _call(session, "GET", f"{url.rstrip('/')}/api/jobs", params=params)["results"]
    return sorted(job["id"] for job in jobs if job["state"] != "completed")


def work(
    session: requests.Session,
    url: str,
    username: str,
    truth: Truth,
    *,
    tasks: list[int] | None = None,
    pause: float = 0.0,
    watch: bool = False,
) -> Iterator[Corrections]:
    """Corrects one open job after another.

    Args:
        session: logged in as `username`.
        url: the server.
        username: whose jobs, when no tasks are named.
        truth: of every image.
        tasks: see `open_jobs`.
        pause: seconds between two jobs.
        watch: whether to go on looking for new jobs for ever; a job that the server does not let
            be corrected is told of and left alone then.

    Yields:
        What was done in each job.
    """
    given_up: set[int] = set()
    while True:
        jobs = [job for job in open_jobs(session, url, username, tasks) if job not in given_up]
        for job_id in jobs:
            try:
                done = correct_job(session, url, job_id, truth)
            except AnnotatorError as error:
                if not watch:
                    raise
                given_up.add(job_id)
                print(error, file=sys.stderr, flush=True)
                continue
            yield done
            time.sleep(pause)
        if not watch:
            return
        if not jobs:
            time.sleep(POLL_SECONDS)


def jobs_of_nobody(session: requests.Session, url: str) -> list[int]:
    """Ids of the jobs that are not completed and have no assignee, oldest first."""
    params = {"type": "annotation", "page_size": "all"}
    jobs = _call(session, "GET", f"{url.rstrip('/')}/api/jobs", params=params)["results"]
    idle = (job for job in jobs if job["assignee"] is None and job["state"] != "completed")
    return sorted(job["id"] for job in idle)


def give_job(session: requests.Session, url: str, job_id: int, username: str) -> None:
    """Assigns a job to a person, as somebody who may see all people."""
    base = url.rstrip("/")
    params = {"search": username, "page_size": "all"}
    people = _call(session, "GET", f"{base}/api/users", params=params)["results"]
    (user,) = (one["id"] for one in people if one["username"] == username)
    _call(session, "PATCH", f"{base}/api/jobs/{job_id}", json={"assignee": user})


def _call(session: requests.Session, method: str, url: str, **options: Any) -> Any:
    try:
        answer = session.request(method, url, timeout=TIMEOUT, **options)
    except requests.RequestException as error:
        raise AnnotatorError(f"{url} does not answer.", "Is the server running?") from error
    if not answer.ok:
        raise AnnotatorError(
            f"{method} {url} gave HTTP {answer.status_code}: {answer.text[:300]}",
            "Check the name, the password and whether this user may change the job.",
        )
    return answer.json()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("CVAT_URL"))
    parser.add_argument("--username", default=os.environ.get("CVAT_USERNAME"))
    parser.add_argument("--password", help="better in the variable CVAT_PASSWORD")
    parser.add_argument("--truth", type=Path, required=True, help="truth.json of the dataset")
    parser.add_argument("--task", type=int, nargs="+", help="all jobs of these tasks")
    parser.add_argument("--watch", action="store_true", help="go on looking for new jobs")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two jobs")
    options = parser.parse_args()
    password = options.password or os.environ.get("CVAT_PASSWORD")
    if not (options.url and options.username and password):
        parser.error("needs --url, --username and CVAT_PASSWORD, or their variables")
    try:
        session = log_in(options.url, options.username, password)
        for done in work(
            session,
            options.url,
            options.username,
            read_truth(options.truth),
            tasks=options.task,
            pause=options.pause,
            watch=options.watch,
        ):
            print(done, flush=True)
    except AnnotatorError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
