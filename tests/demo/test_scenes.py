"""Scenes: the same from the same seed, every box where the digit is, no scan on both sides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from demo.scans import SPLITS, enlarge, load_scans, scan_indices, visible_box
from demo.scenes import SceneStyle, make_scene, write_scenes
from demo.truth import Truth, read_truth, write_truth


def scenes(count: int, split: str = "train", style: SceneStyle | None = None):
    return [
        make_scene(np.random.default_rng([7, number]), scan_indices(split), style)
        for number in range(count)
    ]


def test_make_scene__same_state_gives_same_scene():
    first, again = scenes(2), scenes(2)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert [scene.objects for scene in first] == [scene.objects for scene in again]
    assert not np.array_equal(first[0].image, first[1].image)


def test_make_scene__image_and_sizes():
    made = scenes(12)
    assert {scene.image.shape for scene in made} == {(480, 640, 3)}
    assert {scene.image.dtype for scene in made} == {np.dtype(np.uint8)}
    heights = [o.box[3] for scene in made for o in scene.objects if not o.iscrowd]
    assert min(heights) >= 24
    assert max(heights) <= 118
    assert max(heights) > 2 * min(heights)
    assert all(4 <= sum(not o.iscrowd for o in scene.objects) <= 11 for scene in made)


def test_make_scene__boxes_lie_inside_the_image():
    for scene in scenes(20, style=SceneStyle(heap_share=1)):
        for placed in scene.objects:
            left, top, width, height = placed.box
            assert left >= 0
            assert top >= 0
            assert left + width <= 640
            assert top + height <= 480


def test_make_scene__classes_are_those_of_the_scans():
    _, digits = load_scans()
    for scene in scenes(10, style=SceneStyle(heap_share=1)):
        for placed in scene.objects:
            assert {int(digits[scan]) for scan in placed.scans} == {placed.digit}


def test_make_scene__a_heap_is_one_crowd_box():
    for scene in scenes(5, style=SceneStyle(heap_share=1)):
        heaps = [placed for placed in scene.objects if placed.iscrowd]
        assert len(heaps) == 1
        assert len(heaps[0].scans) >= 14


def test_make_scene__without_heaps():
    made = scenes(5, style=SceneStyle(heap_share=0))
    assert not any(placed.iscrowd for scene in made for placed in scene.objects)


def test_make_scene__boxes_are_tight(monkeypatch: pytest.MonkeyPatch):
    """A scene with one digit differs from the same scene without it exactly in the box."""
    monkeypatch.setattr("demo.scenes.MIN_CONTRAST", 1.0)
    for number in range(8):
        with_digit, without = (
            make_scene(
                np.random.default_rng(number),
                scan_indices("train"),
                SceneStyle(digits=(count, count), heap_share=0),
            )
            for count in (1, 0)
        )
        changed = np.abs(with_digit.image.astype(int) - without.image).max(axis=2)
        # The noise differs between the two: a median takes it away, an edge pixel with it.
        clean = cv2.medianBlur(changed.astype(np.uint8), 5) > 70
        left, top, width, height = cv2.boundingRect(clean.astype(np.uint8))
        box = with_digit.objects[0].box
        assert np.abs(np.subtract((left, top), box[:2])).max() <= 4
        assert (
            np.abs(np.subtract((left + width, top + height), np.add(box[:2], box[2:]))).max() <= 4
        )


def test_enlarge__ink_touches_all_four_sides():
    scans, _ = load_scans()
    for scan in scans[::100]:
        mask = enlarge(scan, height=50, angle=5, shear=0.1)
        assert visible_box(mask) == (0, 0, mask.shape[1], mask.shape[0])
        assert 0 <= mask.min() <= mask.max() <= 1


def test_enlarge__height_is_what_was_asked_for():
    scans, _ = load_scans()
    heights = [enlarge(scan, height=60, angle=0, shear=0).shape[0] for scan in scans[::50]]
    assert np.mean(heights) == pytest.approx(60, abs=6)


def test_scan_indices__no_scan_on_both_sides():
    train, test = (set(scan_indices(split)) for split in SPLITS)
    assert not train & test
    assert len(train | test) == len(load_scans()[0]) == 1797


def test_scan_indices__every_class_on_both_sides():
    _, digits = load_scans()
    for split in SPLITS:
        assert np.bincount(digits[scan_indices(split)], minlength=10).min() > 50


def test_scan_indices__unknown_split():
    with pytest.raises(ValueError, match="validation"):
        scan_indices("validation")


def test_write_scenes__each_side_uses_its_own_scans(tmp_path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def remember(rng, scans, style=None):
        scene = make_scene(rng, scans, style)
        asked.append({scan for placed in scene.objects for scan in placed.scans})
        return scene

    monkeypatch.setattr("demo.scenes.make_scene", remember)
    images = write_scenes(tmp_path, seed=3, count=6)
    assert [image.split for image in images] == ["train"] * 3 + ["test"] * 3
    for image, used in zip(images, asked, strict=True):
        assert used <= set(scan_indices(image.split))


def test_write_scenes__files_and_truth_are_the_same_again(tmp_path):
    first = write_scenes(tmp_path / "a", seed=3, count=4)
    again = write_scenes(tmp_path / "b", seed=3, count=4)
    other = write_scenes(tmp_path / "c", seed=4, count=4)
    assert first == again
    assert [image.objects for image in first] != [image.objects for image in other]
    for image in first:
        data = (tmp_path / "a" / image.file_name).read_bytes()
        assert data == (tmp_path / "b" / image.file_name).read_bytes()
        assert 20_000 < len(data) < 200_000


def test_write_scenes__label_ids_are_unique(tmp_path):
    ids = [label.id for image in write_scenes(tmp_path, 3, 4) for label in image.objects]
    assert len(set(ids)) == len(ids)
    assert all(len(bytes.fromhex(one)) == 12 for one in ids)


def test_read_truth__floats_come_back_exactly(tmp_path):
    truth = Truth({"seed": 3}, write_scenes(tmp_path, seed=3, count=2))
    write_truth(tmp_path / "truth.json", truth)
    assert read_truth(tmp_path / "truth.json") == truth
