"""A FiftyOne of our own: its database runs before FiftyOne is imported, ends with the tests."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import services  # noqa: E402

_ends_with_the_tests = contextlib.ExitStack()


def _isolate_fiftyone() -> Path:
    folder = Path(
        _ends_with_the_tests.enter_context(
            tempfile.TemporaryDirectory(prefix="relabel-tests-", ignore_cleanup_errors=True)
        )
    )
    uri = os.environ.get("FIFTYONE_DATABASE_URI") or _ends_with_the_tests.enter_context(
        services.mongod(folder / "database")
    )
    plugins = services.link_plugin(folder / "plugins")
    database = f"relabel_tests_{uuid.uuid4().hex[:8]}"
    environment = services.fiftyone_environment(uri, folder / "home", plugins, database)
    environment["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    os.environ.update(environment)
    return folder


assert "fiftyone" not in sys.modules, "FiftyOne was imported before it could be isolated"
FOLDER = _isolate_fiftyone()

pytest_plugins = [
    "tests.cvat_fixtures",
    "tests.ray_fixtures",
    "tests.real_cvat",
    "tests.vector_store_fixtures",
]


def pytest_unconfigure() -> None:
    """Drops the database and ends what was started."""
    with _ends_with_the_tests:
        if "fiftyone" in sys.modules:
            import fiftyone.core.odm as foo

            foo.get_db_client().drop_database(os.environ["FIFTYONE_DATABASE_NAME"])


@pytest.fixture(scope="session")
def database() -> dict[str, str]:
    """The variables under which any other process shares the database of these tests."""
    return {key: value for key, value in os.environ.items() if key.startswith("FIFTYONE_")}


@pytest.fixture(scope="session", autouse=True)
def _ask_for_gpus_once() -> None:
    """To ask takes a start of TensorFlow, for each executor in the process of the tests."""
    from relabel.compute import devices, executors

    executors.find_gpus = functools.cache(devices.find_gpus)


@pytest.fixture
def dataset(tmp_path: Path):
    """Six small images of known size, each with two detections."""
    import fiftyone as fo
    from PIL import Image

    samples = []
    for index in range(6):
        path = tmp_path / f"image-{index}.png"
        Image.new("RGB", (64, 48), (40 * index, 90, 160)).save(path)
        sample = fo.Sample(filepath=str(path), tags=["even"] if index % 2 == 0 else ["odd"])
        sample["ground_truth"] = fo.Detections(
            detections=[
                fo.Detection(label="cat", bounding_box=[0.125, 0.25, 0.25, 0.5]),
                fo.Detection(label="dog", bounding_box=[0.5, 0.25, 0.375, 0.625]),
            ]
        )
        samples.append(sample)
    dataset = fo.Dataset()
    dataset.add_samples(samples, dynamic=True)
    dataset.compute_metadata()
    yield dataset
    dataset.delete()
