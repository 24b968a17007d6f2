from __future__ import annotations

import json
import subprocess

import pytest

from relabel.compute import devices
from relabel.compute.devices import Gpus, find_gpus


@pytest.mark.parametrize(
    ("there", "built_for_gpus", "said"),
    [
        ("", True, "runs no NVIDIA driver"),
        ("", False, "runs no NVIDIA driver"),
        ("version", False, "pip uninstall tensorflow-cpu"),
        ("version", True, "this container was given none"),
        ("version nvidiactl", True, "finds no CUDA libraries"),
    ],
)
def test_why_none__first_thing_that_is_missing(tmp_path, there, built_for_gpus, said):
    for name in there.split():
        (tmp_path / name).touch()
    driver, device = tmp_path / "version", tmp_path / "nvidiactl"
    why = devices._why_none(built_for_gpus=built_for_gpus, driver=driver, device=device)
    assert said in why
    assert "\n" not in why


def test_find_gpus__tensorflow_does_not_run(monkeypatch):
    monkeypatch.setattr(devices, "_PROBE", "import tensorflow_that_is_not_there")
    found = find_gpus()
    assert found.names == ()
    assert "No module named 'tensorflow_that_is_not_there'" in str(found)


def test_find_gpus__names_them(monkeypatch):
    answer = json.dumps({"gpus": ["H200", "H200"], "cuda": True})
    monkeypatch.setattr(devices, "_PROBE", f"print({answer!r})")
    assert find_gpus() == Gpus(("H200", "H200"))
    assert str(find_gpus()) == "GPU: H200, H200"


def test_find_gpus__here():
    has_driver = subprocess.run(["sh", "-c", "test -e /proc/driver/nvidia/version"], check=False)
    found = find_gpus()
    assert bool(found.names) is not bool(found.none_because)
    if has_driver.returncode:
        assert str(found) == "GPU: none, because this machine runs no NVIDIA driver"
