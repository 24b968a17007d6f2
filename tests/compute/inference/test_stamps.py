from __future__ import annotations

import os

from relabel.compute.inference.stamps import changed_at


def test_changed_at__file_folder_nothing(tmp_path):
    inner = tmp_path / "model" / "variables" / "data"
    inner.parent.mkdir(parents=True)
    inner.write_text("weights")
    assert changed_at(tmp_path / "none") == 0
    assert changed_at(str(inner)) == inner.stat().st_mtime
    before = changed_at(tmp_path / "model")
    os.utime(inner, (before + 10, before + 10))
    assert changed_at(tmp_path / "model") == before + 10
