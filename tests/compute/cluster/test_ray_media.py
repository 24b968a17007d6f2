from __future__ import annotations

import pytest

from relabel.compute.cluster.ray_media import chunks, heard, tell
from relabel.compute.errors import NodeCannotSee
from relabel.compute.inference.images import Unreadable


@pytest.mark.parametrize(
    ("images", "batch_size", "on_gpus", "expected"),
    [
        (100_000, 32, False, 256),
        (100_000, 300, False, 300),
        (1000, 8, False, 24),
        (10, 32, False, 10),
        (100_000, 32, True, 2048),
        (1000, 8, True, 24),
    ],
)
def test_chunks__whole_batches_small_enough_for_all_workers(images, batch_size, on_gpus, expected):
    found = list(chunks(range(images), batch_size, 4, on_gpus=on_gpus))
    assert [number for chunk in found for number in chunk] == list(range(images))
    assert {len(chunk) for chunk in found[:-1]} <= {expected}
    assert len(found[0]) == expected


def test_chunks__of_nothing():
    assert list(chunks([], 8, 2)) == []


def test_heard__what_is_nowhere_is_unreadable(tmp_path):
    gone = str(tmp_path / "gone.png")
    assert heard([("1", gone, "no such file", "node")]) == (Unreadable("1", gone, "no such file"),)


def test_heard__what_only_the_node_does_not_find_is_the_nodes_fault(tmp_path):
    there = tmp_path / "there.png"
    there.write_bytes(b"")
    assert heard([("1", str(there), "empty", None)])
    with pytest.raises(NodeCannotSee, match=rf"node a cannot open {there}.*network file system"):
        heard([("1", str(there), "no such file", "a")])


def test_tell__whether_it_is_the_nodes_fault(tmp_path):
    """A path that the system refuses is no error of its own."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    gone, refused = str(tmp_path / "gone.png"), "/" + "long" * 2000
    images = [Unreadable("1", path, "no image") for path in (str(broken), gone, refused)]
    nodes = [node for *_, node in tell(images)]
    assert nodes[0] is None
    assert all(nodes[1:])
