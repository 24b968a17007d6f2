"""The demo's dataset: it builds itself, knows its truth, and has wrong labels put in."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo.label_errors import LabelError, inject_errors, read_errors, write_errors
from demo.scenes import write_scenes
from demo.scoring import Score, score_fixed
from demo.truth import CLASSES, ImageTruth, Label, Truth, read_truth, write_truth

if TYPE_CHECKING:
    from collections.abc import Iterable

    import fiftyone as fo

GROUND_TRUTH = "ground_truth"
SEED = 51
IMAGES = 600
ERROR_SHARE = 0.06
# Raised whenever the same seed begins to give other images or errors.
RECIPE_VERSION = 1


@dataclass(frozen=True)
class DemoFiles:
    """Where everything of one dataset lies on disk."""

    directory: Path

    @property
    def images(self) -> Path:
        """The folder of the images."""
        return self.directory / "images"

    @property
    def truth(self) -> Path:
        """The true labels."""
        return self.directory / "truth.json"

    @property
    def errors(self) -> Path:
        """The record of the errors that were put in."""
        return self.directory / "errors.json"


def build_dataset(
    name: str,
    directory: str | Path,
    seed: int = SEED,
    images: int = IMAGES,
    error_share: float = ERROR_SHARE,
) -> fo.Dataset:
    """Makes the demo's dataset, with wrong labels in `ground_truth` and no predictions.

    Args:
        name: the dataset's name. A dataset of that name is replaced.
        directory: where images, truth.json and errors.json go; images made for the same seed
            and number are used again.
        seed: decides every image and every error.
        images: how many; one half is tagged "train", the other "test".
        error_share: number of errors over the number of true labels.

    Returns:
        A persistent dataset.
    """
    import fiftyone as fo

    files = DemoFiles(Path(directory).resolve())
    truth = write_images(files, seed, images)
    labels, errors = inject_errors(truth.images, error_share, seed)
    write_errors(files.errors, errors)

    dataset = fo.Dataset(name, persistent=True, overwrite=True)
    dataset.default_classes = list(CLASSES)
    dataset.info = {"seed": seed, "images": images, "error_share": error_share}
    dataset.add_samples(
        [_sample(files, image, labels[image.file_name]) for image in truth.images],
        dynamic=True,
    )
    return dataset


def write_images(files: DemoFiles, seed: int, images: int) -> Truth:
    """Writes the images and their truth, unless they are there already."""
    recipe = {"version": RECIPE_VERSION, "seed": seed, "images": images}
    if files.truth.exists():
        truth = read_truth(files.truth)
        names = {path.name for path in files.images.glob("*.jpg")}
        if truth.recipe == recipe and names >= {image.file_name for image in truth.images}:
            return truth
    truth = Truth(recipe=recipe, images=write_scenes(files.images, seed, images))
    write_truth(files.truth, truth)
    return truth


def dataset_labels(
    samples: fo.SampleCollection, field: str = GROUND_TRUTH
) -> dict[str, tuple[Label, ...]]:
    """The labels of a dataset or view as they are now, by base name of the image."""
    paths, found = samples.values(["filepath", field])
    return {
        Path(path).name: tuple(map(_label, detections.detections if detections else ()))
        for path, detections in zip(paths, found, strict=True)
    }


def score_dataset(
    samples: fo.SampleCollection,
    errors: Iterable[LabelError] | Path,
    field: str = GROUND_TRUTH,
) -> Score:
    """Counts how many of the errors that were put in are mended by now.

    Args:
        samples: a dataset or view.
        errors: the record, or the errors.json it is kept in.
        field: the field with the labels.
    """
    record = read_errors(errors) if isinstance(errors, Path) else errors
    return score_fixed(dataset_labels(samples, field), record)


def _sample(files: DemoFiles, image: ImageTruth, labels: tuple[Label, ...]) -> fo.Sample:
    import fiftyone as fo

    path = files.images / image.file_name
    return fo.Sample(
        filepath=str(path),
        tags=[image.split],
        metadata=fo.ImageMetadata(
            size_bytes=path.stat().st_size,
            mime_type="image/jpeg",
            width=image.width,
            height=image.height,
            num_channels=3,
        ),
        ground_truth=fo.Detections(detections=[_detection(label) for label in labels]),
    )


def _detection(label: Label) -> fo.Detection:
    import fiftyone as fo

    return fo.Detection(
        id=label.id,
        label=label.label,
        bounding_box=list(label.bounding_box),
        iscrowd=label.iscrowd,
    )


def _label(detection: fo.Detection) -> Label:
    return Label(
        id=detection.id,
        label=detection.label,
        bounding_box=tuple(detection.bounding_box),
        iscrowd=bool(detection.get_attribute_value("iscrowd", default=False)),
    )


def main() -> None:
    """Builds the dataset from a command line."""
    parser = argparse.ArgumentParser(description=build_dataset.__doc__.splitlines()[0])
    parser.add_argument("--name", default="digits")
    parser.add_argument("--directory", type=Path, default=Path(".demo/digits"))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--error-share", type=float, default=ERROR_SHARE)
    options = parser.parse_args()
    dataset = build_dataset(**vars(options))
    labels = dataset.count(f"{GROUND_TRUTH}.detections")
    errors = len(read_errors(DemoFiles(options.directory).errors))
    print(f"{dataset.name}: {len(dataset)} images, {labels} labels, {errors} errors put in")


if __name__ == "__main__":
    main()
