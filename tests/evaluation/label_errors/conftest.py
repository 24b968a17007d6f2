"""A world in a dataset: 80 images, a detector of some skill, and some labels wrong."""

from __future__ import annotations

import pytest

from .worlds import make_world


def detections(table, image, *, ranked):
    import fiftyone as fo

    return fo.Detections(
        detections=[
            fo.Detection(
                label=table.label[row],
                bounding_box=table.box[row].tolist(),
                confidence=float(table.confidence[row]) if ranked else None,
                iscrowd=bool(table.crowd[row]),
            )
            for row in range(len(table))
            if table.image[row] == image
        ]
    )


@pytest.fixture(scope="module")
def stored():
    import fiftyone as fo

    world = make_world(0, images=80)
    dataset = fo.Dataset()
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/{image}.png",
                ground_truth=detections(world.truth, image, ranked=False),
                predictions=detections(world.predictions, image, ranked=True),
            )
            for image in range(80)
        ],
        dynamic=True,
        progress=False,
    )
    yield dataset
    dataset.delete()


@pytest.fixture
def world(stored):
    dataset = stored.clone()
    yield dataset
    dataset.delete()
