"""Injected errors: as many and of the kinds asked for, recorded so that all can be undone."""

from __future__ import annotations

import pytest

from demo.label_errors import (
    DOUBLED,
    DOUBLED_IOU,
    KIND_SHARES,
    MISSING,
    SHIFTED,
    SHIFTED_IOU,
    SPURIOUS,
    WRONG_CLASS,
    WRONG_ISCROWD,
    apply_errors,
    inject_errors,
    read_errors,
    undo_errors,
    write_errors,
)
from demo.scoring import Suspect, score_fixed, score_found
from demo.truth import CLASSES, ImageTruth, Label, iou, label_id, labels_by_image

SHARE = 0.3


@pytest.fixture(scope="module")
def images() -> tuple[ImageTruth, ...]:
    """Forty images, nine objects each on a grid, every tenth image with a heap."""
    made = []
    for number in range(40):
        name = f"image-{number}.jpg"
        objects = [
            Label(
                label_id(name, place),
                CLASSES[(number + place) % 10],
                (0.05 + 0.33 * (place % 3), 0.05 + 0.33 * (place // 3), 0.1, 0.15),
                iscrowd=number % 10 == 0 and place == 0,
            )
            for place in range(9)
        ]
        made.append(ImageTruth(name, "train", 640, 480, tuple(objects)))
    return tuple(made)


@pytest.fixture(scope="module")
def injected(images):
    return inject_errors(images, SHARE, seed=5)


def of_kind(errors, kind):
    found = [error for error in errors if error.kind == kind]
    assert found
    return found


def test_inject_errors__share(images, injected):
    assert len(injected[1]) == round(SHARE * 360)
    assert inject_errors(images, 0, seed=5) == (labels_by_image(images), ())


def test_inject_errors__share_out_of_range(images):
    with pytest.raises(ValueError, match=r"1\.5"):
        inject_errors(images, 1.5, seed=5)


def test_inject_errors__kinds_in_their_shares(images):
    _, errors = inject_errors(images, 1.0, seed=5)
    singles = [e for e in errors if not (e.truth and e.truth.iscrowd)]
    for kind, share in KIND_SHARES.items():
        assert len(of_kind(singles, kind)) / 360 == pytest.approx(share, abs=0.02)


def test_inject_errors__deterministic(images, injected):
    assert inject_errors(images, SHARE, seed=5) == injected
    assert inject_errors(images, SHARE, seed=6)[1] != injected[1]


def test_inject_errors__at_most_one_per_label(injected):
    ids = [error.label_id for error in injected[1]]
    assert len(set(ids)) == len(ids)


def test_inject_errors__untouched_labels_stay(images, injected):
    labels, errors = injected
    wrong = {error.label_id for error in errors}
    for image in images:
        expected = [label for label in image.objects if label.id not in wrong]
        assert [label for label in labels[image.file_name] if label.id not in wrong] == expected


def test_inject_errors__record_says_what_stands_there(injected):
    labels, errors = injected
    for error in errors:
        there = [one for one in labels[error.file_name] if one.id == error.label_id]
        assert there == ([error.label] if error.label else [])


def test_inject_errors__each_kind_is_what_it_says(images, injected):
    errors = injected[1]
    truth = labels_by_image(images)
    for error in of_kind(errors, WRONG_CLASS):
        assert error.label.label != error.truth.label
        assert error.label.bounding_box == error.truth.bounding_box
    for error in of_kind(errors, SHIFTED):
        overlap = iou(error.label.bounding_box, error.truth.bounding_box)
        assert SHIFTED_IOU[0] <= overlap <= SHIFTED_IOU[1]
        assert error.label.label == error.truth.label
    for error in of_kind(errors, MISSING):
        assert error.label is None
        assert error.truth in truth[error.file_name]
    for error in of_kind(errors, DOUBLED):
        overlaps = [
            iou(error.label.bounding_box, one.bounding_box) for one in truth[error.file_name]
        ]
        assert DOUBLED_IOU[0] <= max(overlaps) <= DOUBLED_IOU[1]
    for error in of_kind(errors, SPURIOUS):
        assert all(
            iou(error.label.bounding_box, one.bounding_box) == 0 for one in truth[error.file_name]
        )
    for error in of_kind(errors, WRONG_ISCROWD):
        assert error.label.iscrowd is not error.truth.iscrowd


def test_inject_errors__boxes_stay_inside_the_image(images):
    labels, _ = inject_errors(images, 1.0, seed=9)
    for one in (label for found in labels.values() for label in found):
        left, top, width, height = one.bounding_box
        assert min(left, top) >= 0
        assert max(left + width, top + height) <= 1 + 1e-12


def test_undo_errors__restores_the_truth(images, injected):
    labels, errors = injected
    assert labels != labels_by_image(images)
    restored = undo_errors(labels, errors)
    for image in images:
        assert sorted(restored[image.file_name], key=lambda one: one.id) == sorted(
            image.objects, key=lambda one: one.id
        )


def test_read_errors__as_written(tmp_path, images, injected):
    labels, errors = injected
    write_errors(tmp_path / "errors.json", errors)
    again = read_errors(tmp_path / "errors.json")
    assert again == errors
    assert apply_errors(images, again) == labels


def test_score_fixed__nothing_mended(injected):
    labels, errors = injected
    score = score_fixed(labels, errors)
    assert score.hit == 0
    assert score.total == len(errors)


def test_score_fixed__truth_mends_all(images, injected):
    score = score_fixed(labels_by_image(images), injected[1])
    assert score.recall == 1
    assert score.hit_by_kind == score.total_by_kind


def test_score_fixed__counts_each_mended_error_alone(images, injected):
    labels, errors = injected
    for number, error in enumerate(errors):
        mended = undo_errors(labels, [error])
        assert score_fixed(mended, errors).hit == 1, (number, error.kind)


def test_score_found__by_id_and_by_box(injected):
    errors = injected[1]
    by_id = [Suspect(e.file_name, (0, 0, 0, 0), e.label_id) for e in errors if e.label]
    by_box = [Suspect(e.file_name, (e.truth or e.label).bounding_box) for e in errors]
    elsewhere = [Suspect("other.jpg", e.bounding_box) for e in by_box]
    assert score_found(by_id, errors).hit == len(by_id)
    assert score_found(by_box, errors).recall == 1
    score = score_found([*by_box, *elsewhere], errors)
    assert score.precision == pytest.approx(0.5)
    assert score_found(elsewhere, errors).hit == 0
