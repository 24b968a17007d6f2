from __future__ import annotations

import fiftyone.utils.image as foui
import numpy as np
import pytest
from PIL import Image
from skimage import data

from relabel.compute.inference.images import read_image, read_images, resized


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(data.astronaut()).save(path, quality=95)
    return str(path)


@pytest.mark.parametrize("size", [(512, 512), (256, 256), (224, 224), (100, 60), (900, 700)])
def test_read_image__at_a_size_looks_the_same(photo, size):
    image = read_image(photo, size)
    expected = Image.open(photo).resize((size[1], size[0]), Image.Resampling.BOX)
    assert image.shape == (*size, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - np.asarray(expected)).mean() < 6


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_read_image__at_a_size_has_fiftyones_colours(tmp_path, mode):
    path = str(tmp_path / "some.png")
    Image.fromarray(data.astronaut()).convert(mode).save(path)
    image = read_image(path, (100, 60))
    assert np.array_equal(image, resized(foui.read(path), (100, 60)))
    assert image.flags.c_contiguous


@pytest.mark.parametrize("kept", [0, 200, 2000])
def test_read_image__cut_off(tmp_path, kept):
    path = tmp_path / "photo.png"
    Image.fromarray(data.astronaut()).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(OSError, match=r"photo\.png|runcated"):
        read_image(str(path), (64, 64))


def test_read_image__without_a_size_as_fiftyone_reads_it(photo):
    assert np.array_equal(read_image(photo), foui.read(photo))


def test_read_image__turned_as_its_exif_says(tmp_path):
    path = tmp_path / "turned.jpg"
    image = Image.new("RGB", (640, 320))
    image.paste((250, 0, 0), (0, 0, 320, 320))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    image.save(path, exif=exif)
    turned = read_image(str(path), (64, 64))
    assert turned[5, 32, 0] > 200
    assert turned[60, 32, 0] < 50


def test_read_images__all_at_the_same_size(dataset):
    batches = list(read_images(dataset, 4, (32, 32)))
    assert [len(batch) for batch in batches] == [4, 2]
    assert {image.shape for batch in batches for image in batch.images} == {(32, 32, 3)}
