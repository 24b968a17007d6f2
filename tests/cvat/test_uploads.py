from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from relabel.cvat.uploads import MAX_REQUEST_BYTES, MAX_REQUEST_FILES, ImageFile, batches

sizes = st.lists(st.integers(0, 2 * MAX_REQUEST_BYTES), max_size=40)


@given(sizes)
def test_batches__keep_every_file_in_order_and_stay_below_the_limit(sizes):
    images = [ImageFile(Path(str(n)), f"{n}.png", size) for n, size in enumerate(sizes)]
    found = list(batches(images))
    assert [image for batch in found for image in batch] == images
    for batch in found:
        assert len(batch) == 1 or sum(image.size for image in batch) <= MAX_REQUEST_BYTES


def test_batches__open_no_more_files_than_systems_allow():
    images = [ImageFile(Path(str(n)), f"{n}.png", 1) for n in range(MAX_REQUEST_FILES + 1)]
    assert [len(batch) for batch in batches(images)] == [MAX_REQUEST_FILES, 1]
