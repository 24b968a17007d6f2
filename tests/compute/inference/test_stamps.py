from __future__ import annotations

import os

from relabel.compute.inference.stamps import changed_at, contents_of, size_of


def test_changed_at__file_folder_nothing(tmp_path):
    inner = tmp_path / "model" / "variables" / "data"
    inner.parent.mkdir(parents=True)
    inner.write_text("weights")
    assert changed_at(tmp_path / "none") == 0
    assert changed_at(str(inner)) == inner.stat().st_mtime
    before = changed_at(tmp_path / "model")
    os.utime(inner, (before + 10, before + 10))
    assert changed_at(tmp_path / "model") == before + 10


def test_contents_of__a_file_wherever_it_lies(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("weights")
    second.write_text("weights")
    assert contents_of(first) == contents_of(str(second))
    second.write_text("WEIGHTS")
    os.utime(second, (1, 1))
    assert contents_of(first) != contents_of(second)
    assert size_of(second) == 7


def test_contents_of__a_folder_with_the_names_in_it(tmp_path):
    for folder, name in (("a", "data"), ("b", "data"), ("c", "other")):
        (tmp_path / folder / "variables").mkdir(parents=True)
        (tmp_path / folder / "variables" / name).write_text("weights")
    same, other, named = (contents_of(tmp_path / folder) for folder in "abc")
    assert same == other != named
