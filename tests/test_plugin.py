"""What fiftyone.yml promises is what FiftyOne finds."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import fiftyone.operators as foo
import fiftyone.plugins as fop
import yaml
from fiftyone.plugins.context import build_plugin_contexts

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = "@relabel/cvat"


def test_plugin__loads_without_errors():
    (context,) = [found for found in build_plugin_contexts() if found.name == PLUGIN]
    assert not context.errors, "\n".join(context.errors)


def test_plugin__registers_exactly_what_it_declares():
    declared = yaml.safe_load((ROOT / "fiftyone.yml").read_text())
    found = foo.list_operators(builtin=False) + foo.list_operators(builtin=False, type="panel")
    registered = {operator.name for operator in found if operator.plugin_name == PLUGIN}
    assert registered == {*declared["operators"], *declared["panels"]}


def test_plugin__has_a_bundle():
    assert fop.get_plugin(PLUGIN).has_js


def test_plugin__secrets_are_declared():
    secrets = fop.get_plugin(PLUGIN).secrets
    assert {"FIFTYONE_CVAT_URL", "FIFTYONE_CVAT_TOKEN", "FIFTYONE_CVAT_PASSWORD"} <= set(secrets)


def test_plugin__requirements_are_listed():
    fiftyone = Path(sys.executable).parent / "fiftyone"
    command = [str(fiftyone), "plugins", "requirements", PLUGIN, "--print"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert shown.returncode == 0, shown.stderr
    for requirement in (ROOT / "requirements.txt").read_text().splitlines():
        assert requirement in shown.stdout


def test_bundle__was_built_from_its_source():
    recorded = (ROOT / "js" / "dist" / "source.sha256").read_text().strip()
    assert recorded == bundle_sources_digest(), "js/dist is older than js/src: run `make js`"


def bundle_sources_digest() -> str:
    """As js/vite.config.ts computes it: every source's path and bytes, in order of the path."""
    folder = ROOT / "js"
    names = ["package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    sources = [path for path in (folder / "src").rglob("*") if path.is_file()]
    paths = sorted([*names, *(path.relative_to(folder).as_posix() for path in sources)])
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.encode() + b"\0" + (folder / path).read_bytes() + b"\0")
    return digest.hexdigest()
