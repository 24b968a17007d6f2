"""The unit and the container file: what they name exists, what they run starts."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import pytest

from relabel.compute import executor

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PLUGIN = "@relabel/cvat"


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "relabel-executor.service")
    return parser


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The instructions of the container file, with what they are told."""
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and line[0] not in "# "]


def _told(steps, instruction):
    return [told for name, told in steps if name == instruction]


def _targets(arguments):
    options = executor._parse(arguments)
    return options.target, options.also_untargeted


def test_unit__runs_the_executor(unit):
    python, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert python == f"{unit['Service']['WorkingDirectory']}/.venv/bin/python"  # make setup's
    assert arguments[:2] == ["-m", executor.__name__]
    assert _targets(arguments[2:]) == (["gpu"], True)
    plugins = unit["Service"]["Environment"].removeprefix("FIFTYONE_PLUGINS_DIR=")
    assert unit["Service"]["WorkingDirectory"] == f"{plugins}/{PLUGIN}"


def test_unit__leaves_the_executor_time_to_hand_back(unit):
    assert float(unit["Service"]["TimeoutStopSec"]) > executor.LEAVE_SECONDS
    assert unit["Service"]["KillMode"] == "mixed"
    assert unit["Service"]["OOMPolicy"] == "continue"


def test_unit__meets_ray_in_its_folder(unit):
    """Ray's sockets are under /tmp; with a /tmp of its own Ray aborts the executor's worker."""
    assert "PrivateTmp" not in unit["Service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_unit__systemd_accepts_it(tmp_path):
    """But for the program, which is not installed where it says."""
    text = (DEPLOY / "relabel-executor.service").read_text()
    copy = tmp_path / "relabel-executor.service"
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    checked = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in checked.stderr.splitlines() if copy.name in line]
    assert about_ours == []


def test_container__holds_what_the_plugin_needs(steps):
    sources = [source for told in _told(steps, "COPY") for source in told.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    tops = {source.split("/")[0] for source in sources}
    assert {"fiftyone.yml", "__init__.py", "operators", "panels", "relabel", "js"} <= tops
    plugins = re.search(r"FIFTYONE_PLUGINS_DIR=(\S+)", _told(steps, "ENV")[0]).group(1)
    assert _told(steps, "WORKDIR") == [f"{plugins}/{PLUGIN}"]


def test_container__takes_what_the_docs_pass_to_it(steps):
    told = (ROOT / "docs" / "executors.md").read_text() + (DEPLOY / "Containerfile").read_text()
    passed = set(re.findall(r"--build-arg (\w+)=", told))
    assert passed == {argument.split("=")[0] for argument in _told(steps, "ARG")} != set()


def test_container__runs_the_executor(steps):
    command = json.loads(_told(steps, "ENTRYPOINT")[0])
    assert command == ["python", "-m", executor.__name__]
    assert _targets(json.loads(_told(steps, "CMD")[0])) == (["gpu"], True)


def test_container__what_it_holds_starts(steps, tmp_path):
    for told in _told(steps, "COPY"):
        *sources, target = told.split()
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target)
            else:
                shutil.copy(ROOT / source, tmp_path)
    code = "import relabel.compute.executor as e; print(e.__file__); e.main(['--help'])"
    started = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert started.stdout.startswith(str(tmp_path))
    assert "--also-untargeted" in started.stdout


def test_env__names_what_is_read():
    names = re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "executor.env").read_text(), re.MULTILINE)
    read_by_fiftyone = {f"FIFTYONE_{name.upper()}" for name in vars(fo.config)}
    declared = (ROOT / "fiftyone.yml").read_text()
    assert [name for name in names if name not in read_by_fiftyone and name not in declared] == []
