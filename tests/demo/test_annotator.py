"""The scripted annotator against the stand-in: the truth comes back, with no edit too many."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from demo.annotator import (
    AnnotatorError,
    correct_job,
    find_truth,
    give_job,
    jobs_of_nobody,
    log_in,
    open_jobs,
    work,
)
from demo.corrections import Vocabulary, pixel_points
from demo.label_errors import inject_errors
from demo.truth import CLASSES, ImageTruth, Label, Truth, label_id, labels_by_image, write_truth

if TYPE_CHECKING:
    import requests

SIZE = (320, 240)
COUNT = 6
NOTE = {
    "name": "note",
    "mutable": True,
    "input_type": "text",
    "default_value": "",
    "values": [""],
}
ISCROWD = {
    "name": "iscrowd",
    "mutable": True,
    "input_type": "checkbox",
    "default_value": "false",
    "values": ["false"],
}


def image_truth(number: int) -> ImageTruth:
    """Nine objects on a grid, the first one a heap."""
    name = f"image-{number}.png"
    objects = [
        Label(
            label_id(name, place),
            CLASSES[(number + place) % 10],
            (0.05 + 0.33 * (place % 3), 0.07 + 0.33 * (place // 3), 0.11, 0.16),
            iscrowd=place == 0,
        )
        for place in range(9)
    ]
    return ImageTruth(name, "train", *SIZE, tuple(objects))


TRUTH = Truth({}, tuple(image_truth(number) for number in range(COUNT)))
LABELS, ERRORS = inject_errors(TRUTH.images, share=0.6, seed=2)


class Task:
    """A task of the stand-in with the wrong labels, two images a job."""

    def __init__(self, url: str, lead: requests.Session):
        self.url, self.lead = url, lead
        self.id = self.call(
            "POST",
            "tasks",
            json={
                "name": "digits",
                "segment_size": 2,
                "labels": [
                    {"name": name, "type": "rectangle", "attributes": [NOTE, ISCROWD]}
                    for name in CLASSES
                ],
            },
        )["id"]
        self._upload()
        described = self.call("GET", "labels", params={"task_id": self.id, "page_size": 100})
        self.vocabulary = Vocabulary.of(described["results"])
        shapes = [
            self.shape(frame, label)
            for frame, image in enumerate(TRUTH.images)
            for label in LABELS[image.file_name]
        ]
        self.call("PUT", f"tasks/{self.id}/annotations", json={"shapes": shapes})
        self.jobs = open_jobs(lead, url, "", [self.id])

    def call(self, method: str, path: str, **options):
        answer = self.lead.request(method, f"{self.url}/api/{path}", timeout=30, **options)
        assert answer.ok, answer.text
        return answer.json()

    def _upload(self) -> None:
        picture = io.BytesIO()
        Image.new("RGB", SIZE, (40, 90, 160)).save(picture, "PNG")
        files = {
            f"client_files[{number}]": (f"{number:06d}_{image.file_name}", picture.getvalue())
            for number, image in enumerate(TRUTH.images)
        }
        data = {"image_quality": "70", "sorting_method": "predefined"}
        request = self.call("POST", f"tasks/{self.id}/data", data=data, files=files)["rq_id"]
        deadline = time.monotonic() + 30
        while (state := self.call("GET", f"requests/{request}"))["status"] != "finished":
            assert state["status"] != "failed", state
            assert time.monotonic() < deadline

    def shape(self, frame: int, label: Label) -> dict:
        values = {"iscrowd": "true" if label.iscrowd else "false", "note": label.id}
        return {
            "type": "rectangle",
            "frame": frame,
            "label_id": self.vocabulary.labels[label.label]["id"],
            "points": pixel_points(TRUTH.images[frame], label.bounding_box),
            "attributes": self.vocabulary.attributes(label.label, values),
        }

    def shapes(self) -> list[dict]:
        return self.call("GET", f"tasks/{self.id}/annotations")["shapes"]

    def content(self) -> dict[str, list]:
        """What stands there, image by image, without ids."""
        found = {image.file_name: [] for image in TRUTH.images}
        for shape in self.shapes():
            crowd = self.vocabulary.values(shape)["iscrowd"] == "true"
            name = self.vocabulary.name(shape["label_id"])
            found[TRUTH.images[shape["frame"]].file_name].append((name, crowd, shape["points"]))
        return {name: sorted(there) for name, there in found.items()}

    def states(self) -> list[tuple[str, str]]:
        jobs = [self.call("GET", f"jobs/{job}") for job in self.jobs]
        return [(job["stage"], job["state"]) for job in jobs]


def content_of(truth: Truth) -> dict[str, list]:
    return {
        image.file_name: sorted(
            (one.label, one.iscrowd, pixel_points(image, one.bounding_box))
            for one in image.objects
        )
        for image in truth.images
    }


@pytest.fixture(scope="module")
def lead(cvat) -> requests.Session:
    return log_in(cvat.url, "lead", cvat.users["lead"])


@pytest.fixture
def task(cvat, lead) -> Task:
    return Task(cvat.url, lead)


def test_correct_job__restores_the_truth_exactly(task, lead):
    assert task.content() != content_of(TRUTH)
    done = [correct_job(lead, task.url, job, TRUTH) for job in task.jobs]
    assert task.content() == content_of(TRUTH)
    assert task.states() == [("annotation", "completed")] * 3
    assert sum(one.edits for one in done) == len(ERRORS)


def test_correct_job__one_edit_for_each_error(task, lead):
    counts = [correct_job(lead, task.url, job, TRUTH).counts for job in task.jobs]
    total = {kind: sum(one.get(kind, 0) for one in counts) for one in counts for kind in one}
    kinds = [error.kind for error in ERRORS]
    assert total == {
        "moved": kinds.count("shifted box"),
        "reclassified": kinds.count("wrong class"),
        "crowd": kinds.count("wrong iscrowd"),
        "added": kinds.count("missing"),
        "doubled": kinds.count("doubled"),
        "spurious": kinds.count("spurious"),
        "untouched": sum(
            one in image.objects for image in TRUTH.images for one in LABELS[image.file_name]
        ),
    }
    assert 0 not in total.values()


def test_correct_job__right_labels_are_not_touched(task, lead):
    before = {shape["id"]: shape for shape in task.shapes()}
    for job in task.jobs:
        correct_job(lead, task.url, job, TRUTH)
    after = {shape["id"]: shape for shape in task.shapes()}
    wrong = {error.label_id for error in ERRORS}
    right = [s for s in before.values() if task.vocabulary.values(s)["note"] not in wrong]
    assert right
    assert all(after[shape["id"]] == shape for shape in right)


def test_correct_job__a_new_class_keeps_id_and_other_attributes(task, lead):
    before = {task.vocabulary.values(shape)["note"]: shape for shape in task.shapes()}
    for job in task.jobs:
        correct_job(lead, task.url, job, TRUTH)
    after = {shape["id"]: shape for shape in task.shapes()}
    wrong = [error for error in ERRORS if error.kind == "wrong class"]
    for error in wrong:
        shape = after[before[error.label_id]["id"]]
        assert task.vocabulary.name(shape["label_id"]) == error.truth.label
        assert task.vocabulary.values(shape)["note"] == error.label_id


def test_correct_job__a_second_time_changes_nothing(task, lead):
    for job in task.jobs:
        correct_job(lead, task.url, job, TRUTH)
    before = task.shapes()
    assert correct_job(lead, task.url, task.jobs[0], TRUTH).edits == 0
    assert task.shapes() == before


def test_correct_job__only_its_own_frames(task, lead):
    before = {shape["id"]: shape for shape in task.shapes()}
    correct_job(lead, task.url, task.jobs[1], TRUTH)
    after = {shape["id"]: shape for shape in task.shapes()}
    others = {number: shape for number, shape in before.items() if shape["frame"] not in (2, 3)}
    assert others.items() <= after.items()
    assert task.states()[0] == ("annotation", "new")


def test_correct_job__images_without_truth_are_left_alone(task, lead):
    before = task.shapes()
    done = correct_job(lead, task.url, task.jobs[0], Truth({}, ()))
    assert done.counts == {"unknown image": 2}
    assert task.shapes() == before


def test_correct_job__somebody_elses(task, cvat):
    stranger = log_in(cvat.url, "ann.c", cvat.users["ann.c"])
    with pytest.raises(AnnotatorError, match="403"):
        correct_job(stranger, task.url, task.jobs[0], TRUTH)


def test_work__only_the_jobs_of_the_user(task, cvat, lead):
    give_job(lead, cvat.url, task.jobs[2], "ann.b")
    assert set(task.jobs) & set(jobs_of_nobody(lead, cvat.url)) == set(task.jobs[:2])
    session = log_in(cvat.url, "ann.b", cvat.users["ann.b"])
    done = list(work(session, cvat.url, "ann.b", TRUTH))
    assert [one.job_id for one in done] == [task.jobs[2]]
    assert [state for _, state in task.states()] == ["new", "new", "completed"]
    assert list(work(session, cvat.url, "ann.b", TRUTH)) == []


def test_work__watch_finds_jobs_that_come_later(task, cvat, lead):
    working = work(lead, cvat.url, "lead", TRUTH, tasks=[task.id], watch=True)
    assert [next(working).job_id for _ in task.jobs] == task.jobs
    task.call("PATCH", f"jobs/{task.jobs[1]}", json={"state": "rejected"})
    assert next(working).job_id == task.jobs[1]


def test_log_in__wrong_password_is_not_in_the_message(cvat):
    with pytest.raises(AnnotatorError) as caught:
        log_in(cvat.url, "lead", "very secret")
    assert "very secret" not in str(caught.value)


def test_main__password_from_the_environment(task, cvat, tmp_path):
    write_truth(tmp_path / "truth.json", TRUTH)
    command = [sys.executable, "-m", "demo.annotator", "--truth", str(tmp_path / "truth.json")]
    ran = subprocess.run(
        [*command, "--url", cvat.url, "--username", "lead", "--task", str(task.id)],
        env={"CVAT_PASSWORD": cvat.users["lead"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split(":")[0] for line in ran.stdout.splitlines()] == [
        f"job {job}" for job in task.jobs
    ]
    assert task.content() == content_of(TRUTH)
    assert cvat.users["lead"] not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("uploaded", "found"),
    [
        ("image-1.png", "image-1.png"),
        ("000003_image-1.png", "image-1.png"),
        ("folder/000003-image-1.png", "image-1.png"),
        ("000003_image-1.jpeg", "image-1.png"),
        ("image-12.png", None),
        ("00000image-1.png", None),
        ("other.png", None),
    ],
)
def test_find_truth(uploaded, found):
    image = find_truth(uploaded, TRUTH)
    assert (image and image.file_name) == found


def test_find_truth__the_longest_name_wins():
    longer = replace(TRUTH.images[0], file_name="a_image-1.png")
    truth = Truth({}, (*TRUTH.images, longer))
    assert find_truth("7_a_image-1.png", truth) is longer
    assert find_truth("7_image-1.png", truth).file_name == "image-1.png"


def test_inject_errors__all_kinds_are_tried_here():
    assert labels_by_image(TRUTH.images) != LABELS
    assert len({error.kind for error in ERRORS}) == 6
