"""Holds the rules of CONTRIBUTING.md about who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Folders of the plugin, each with the folders of the plugin that it may import.
MAY_IMPORT = {
    "relabel.errors": set(),
    "relabel.views": set(),
    "relabel.cvat": {"relabel.errors"},
    "relabel.labels": {"relabel.errors", "relabel.cvat"},
    "relabel.compute": {"relabel.errors", "relabel.cvat"},
}
ENGINE = {"relabel.errors", "relabel.views", "relabel.cvat", "relabel.labels", "relabel.compute"}
for _layer in ("relabel.annotation", "relabel.curation", "relabel.evaluation"):
    MAY_IMPORT[_layer] = ENGINE
MAY_IMPORT["relabel.loop"] = {*ENGINE, "relabel.annotation", "relabel.evaluation"}
for _layer in ("operators", "panels"):
    MAY_IMPORT[_layer] = {*MAY_IMPORT["relabel.loop"], "relabel.loop", "relabel.curation"}
MAY_IMPORT["__init__"] = {"operators", "panels"}
# The folders of a layer, each of which may import those before it.
IN_ORDER = {
    "annotation": (
        "record", "dataset", "comparing", "stock", "planning", "sending", "pulling", "watching",
    ),
    "curation": ("storing", "embedding", "distances", "selecting", "plotting"),
    "evaluation": ("matching", "scoring", "storing", "predicting", "label_errors", "ledger"),
    "compute": ("inference", "cluster"),
}  # fmt: skip
PLUGIN_FILES = [
    ROOT / "__init__.py",
    *(path for top in ("operators", "panels", "relabel") for path in (ROOT / top).rglob("*.py")),
]
OUR_TOPS = {"operators", "panels", "relabel", "demo", "tests", "benchmarks", "scripts"}
# What each layer must never import, of what is not ours.
FORBIDDEN = {
    "relabel.cvat": {"fiftyone"},
    "relabel.labels": {"requests", "urllib3", "pymongo", "motor", "fiftyone.core.odm"},
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def layer_of(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "relabel" else parts[0]


def imported(path: Path) -> list[tuple[int, str, bool]]:
    """Every import of a file as (line, absolute name, whether it was written relative)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve(path, node)
            # "from . import x" and "from ..relabel import cvat" name modules after the "import"
            found += [
                (node.lineno, f"{base}.{alias.name}".strip("."), node.level > 0)
                for alias in node.names
            ]
    return found


def resolve(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = path.parent.relative_to(ROOT).parts
    kept = package[: len(package) - (node.level - 1)]
    return ".".join([*kept, *([node.module] if node.module else [])])


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports__point_one_way(path):
    layer = layer_of(module_name(path))
    allowed = MAY_IMPORT.get(layer, set()) | {layer}
    for line, name, _ in imported(path):
        target = layer_of(name)
        if target.split(".")[0] in OUR_TOPS and target != "relabel":
            assert target in allowed, f"{path}:{line} imports {name}"


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports__inside_the_plugin_are_relative(path):
    for line, name, is_relative in imported(path):
        ours = name.split(".")[0] in OUR_TOPS
        assert is_relative or not ours, f"{path}:{line} imports {name} by its absolute name"


@pytest.mark.parametrize("layer", IN_ORDER)
def test_imports__every_folder_of_a_layer_has_its_place(layer):
    folders = {path.parent.name for path in (ROOT / "relabel" / layer).glob("*/__init__.py")}
    assert folders == set(IN_ORDER[layer])


@pytest.mark.parametrize(
    ("layer", "folder"), [(layer, folder) for layer in IN_ORDER for folder in IN_ORDER[layer]]
)
def test_imports__within_a_layer_point_one_way(layer, folder):
    later = IN_ORDER[layer][IN_ORDER[layer].index(folder) + 1 :]
    for path in (ROOT / "relabel" / layer / folder).glob("*.py"):
        for line, name, _ in imported(path):
            found = name.removeprefix(f"relabel.{layer}.").split(".")[0]
            assert found not in later, f"{path}:{line} imports {name}"


@pytest.mark.parametrize("layer", sorted(FORBIDDEN))
def test_imports__layer_stays_away_from(layer):
    for path in (ROOT / layer.replace(".", "/")).rglob("*.py"):
        for line, name, _ in imported(path):
            for forbidden in FORBIDDEN[layer]:
                assert not f"{name}.".startswith(f"{forbidden}."), f"{path}:{line} imports {name}"


def test_resolve__counts_dots_from_the_file():
    path = ROOT / "relabel" / "cvat" / "client.py"
    names = ["from ..labels import kinds", "from . import tus", "from .tus import upload"]
    nodes = [ast.parse(name).body[0] for name in names]
    assert [resolve(path, node) for node in nodes] == [
        "relabel.labels",
        "relabel.cvat",
        "relabel.cvat.tus",
    ]
