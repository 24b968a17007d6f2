from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from relabel.curation.embedding.descriptors import ImageDescriptor


@pytest.fixture(scope="module")
def descriptor():
    return ImageDescriptor()


@pytest.mark.parametrize("shape", [(48, 64, 3), (1, 1, 3), (500, 20, 3)])
def test_embed__unit_vector_of_the_stated_size(descriptor, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    vector = descriptor.embed(image)
    assert vector.shape == (descriptor.dimensions,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_embed__plain_image_is_finite(descriptor, value):
    assert np.isfinite(descriptor.embed(np.full((32, 32, 3), value, np.uint8))).all()


def test_embed_all__same_as_one_by_one(descriptor):
    images = [data.astronaut(), data.coffee(), data.chelsea()]
    together = descriptor.embed_all(images)
    assert np.array_equal(together, np.stack([descriptor.embed(image) for image in images]))
    assert descriptor.embed_all([]).shape == (0, descriptor.dimensions)


def test_embed__a_copy_is_nearer_than_another_image(descriptor):
    image, other = data.astronaut(), data.coffee()
    darker = (image * 0.9).astype(np.uint8)
    cropped = image[8:-8, 8:-8]
    vector = descriptor.embed(image)
    for copy in (darker, cropped):
        assert vector @ descriptor.embed(copy) > vector @ descriptor.embed(other) + 0.1


def test_embed__colour_alone_makes_a_difference(descriptor):
    red, blue = (np.full((32, 32, 3), colour, np.uint8) for colour in ([200, 0, 0], [0, 0, 200]))
    assert descriptor.embed(red) @ descriptor.embed(blue) < 0.9
