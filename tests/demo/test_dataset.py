"""The demo's dataset: complete, persistent, with the recorded errors in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from demo.dataset import DemoFiles, build_dataset, dataset_labels, score_dataset
from demo.label_errors import apply_errors, read_errors
from demo.truth import CLASSES, labels_by_image, read_truth

NAME = "relabel-tests-digits"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> DemoFiles:
    return DemoFiles(tmp_path_factory.mktemp("digits"))


@pytest.fixture
def built(database, files):
    dataset = build_dataset(NAME, files.directory, seed=3, images=8, error_share=0.3)
    yield dataset
    dataset.delete()


def test_build_dataset__samples(built):
    assert built.persistent
    assert built.count_sample_tags() == {"train": 4, "test": 4}
    assert built.default_classes == list(CLASSES)
    assert built.values("metadata.width") == [640] * 8
    assert built.values("metadata.height") == [480] * 8
    sizes = built.values("metadata.size_bytes")
    assert sizes == [Path(path).stat().st_size for path in built.values("filepath")]


def test_build_dataset__schema(built):
    import fiftyone as fo

    schema = built.get_field_schema(flat=True)
    assert isinstance(schema["ground_truth.detections.iscrowd"], fo.BooleanField)
    assert schema["ground_truth"].document_type is fo.Detections
    assert "predictions" not in schema


def test_build_dataset__labels_are_the_truth_with_the_recorded_errors(built, files):
    truth, errors = read_truth(files.truth), read_errors(files.errors)
    assert errors
    assert dataset_labels(built) == apply_errors(truth.images, errors)


def test_build_dataset__same_labels_from_the_same_seed(built, files, database):
    before = dataset_labels(built)
    made = {path: path.stat().st_mtime_ns for path in files.images.iterdir()}
    again = build_dataset(NAME, files.directory, seed=3, images=8, error_share=0.3)
    assert dataset_labels(again) == before
    assert {path: path.stat().st_mtime_ns for path in files.images.iterdir()} == made


def test_build_dataset__a_missing_image_is_made_again(built, files, database):
    lost = Path(built.first().filepath)
    lost.unlink()
    build_dataset(NAME, files.directory, seed=3, images=8, error_share=0.3)
    assert lost.exists()


def test_build_dataset__another_seed(database, tmp_path):
    files = DemoFiles(tmp_path)
    build_dataset(NAME, tmp_path, seed=3, images=2)
    first = read_truth(files.truth)
    dataset = build_dataset(NAME, tmp_path, seed=4, images=2)
    assert read_truth(files.truth) != first
    assert len(dataset) == 2
    dataset.delete()


def test_build_dataset__no_errors(database, tmp_path):
    dataset = build_dataset(NAME, tmp_path, seed=3, images=2, error_share=0)
    truth = read_truth(DemoFiles(tmp_path).truth)
    assert dataset_labels(dataset) == labels_by_image(truth.images)
    dataset.delete()


def test_score_dataset__rises_when_labels_are_mended(built, files):
    errors = read_errors(files.errors)
    assert score_dataset(built, files.errors).hit == 0
    truth = labels_by_image(read_truth(files.truth).images)
    by_id = {label.id: label for labels in truth.values() for label in labels}
    classes = [
        [by_id[one.id].label if one.id in by_id else one.label for one in labels]
        for labels in dataset_labels(built).values()
    ]
    built.set_values("ground_truth.detections.label", classes)
    kinds = Counter(error.kind for error in errors)
    assert score_dataset(built, files.errors).hit_by_kind == {"wrong class": kinds["wrong class"]}
