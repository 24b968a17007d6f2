from __future__ import annotations

import pytest

from relabel.evaluation.errors import ClassFileError
from relabel.evaluation.predicting.classes import find_class_file, read_classes, require_fit


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "cat\ndog\n"),
        ("classes.json", '["cat", "dog"]'),
        ("classes.json", '{"1": "cat", "2": "dog"}'),
        ("label_map.pbtxt", 'item {\n id: 1\n name: "cat"\n}\nitem {\n name: "dog" id: 2\n}'),
    ],
)
def test_read_classes__each_format(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_classes(tmp_path / name) == {1: "cat", 2: "dog"}


def test_read_classes__label_map_prefers_display_name_and_keeps_gaps(tmp_path):
    text = 'item { name: "/m/01" id: 1 display_name: "person" } item { id: 90 name: "toothbrush" }'
    (tmp_path / "map.pbtxt").write_text(text)
    assert read_classes(tmp_path / "map.pbtxt") == {1: "person", 90: "toothbrush"}


@pytest.mark.parametrize(("name", "text"), [("c.txt", "\n"), ("c.json", "{oops"), ("c.json", "3")])
def test_read_classes__nothing_to_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ClassFileError):
        read_classes(tmp_path / name)


def test_read_classes__missing(tmp_path):
    with pytest.raises(ClassFileError, match="cannot be read"):
        read_classes(tmp_path / "nowhere.txt")


def test_find_class_file__prefers_the_models_own_folder(tmp_path):
    model = tmp_path / "saved_model"
    model.mkdir()
    assert find_class_file(model) is None
    (tmp_path / "classes.txt").write_text("a")
    assert find_class_file(model) == tmp_path / "classes.txt"
    (model / "labels.txt").write_text("b")
    assert find_class_file(model) == model / "labels.txt"


def test_require_fit__too_few_names():
    require_fit({1: "cat", 2: "dog"}, 2)
    require_fit({1: "cat"}, None)
    with pytest.raises(ClassFileError, match="90 classes"):
        require_fit({1: "cat", 2: "dog"}, 90)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("from_windows.txt", "\ufeffcat\r\ndog\r\n"),
        ("from_windows.json", '\ufeff["cat", "dog"]'),
        (
            "coco.json",
            '[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog", "supercategory": "a"}]',
        ),
    ],
)
def test_read_classes__as_others_write_them(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert read_classes(tmp_path / name) == {1: "cat", 2: "dog"}


def test_read_classes__label_map_with_quotes_braces_and_comments(tmp_path):
    text = r"""
    # don't count this
    item { id: 1 name: "driver's seat" }
    item { id: 2 name: 'a "b" {c}' }
    item { id: 3 name: "a \"b\"" }
    """
    (tmp_path / "map.pbtxt").write_text(text)
    expected = {1: "driver's seat", 2: 'a "b" {c}', 3: 'a "b"'}
    assert read_classes(tmp_path / "map.pbtxt") == expected


@pytest.mark.parametrize(
    "text", ['["cat", null]', "[1, 2]", '[{"name": "cat"}]', '{"1": ["cat"]}']
)
def test_read_classes__what_is_no_name(tmp_path, text):
    (tmp_path / "classes.json").write_text(text)
    with pytest.raises(ClassFileError, match="cannot be read"):
        read_classes(tmp_path / "classes.json")


def test_read_classes__from_zero(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\n\ndog\n")
    assert read_classes(tmp_path / "classes.txt", first=0) == {0: "cat", 2: "dog"}
    (tmp_path / "classes.json").write_text('{"7": "cat"}')
    assert read_classes(tmp_path / "classes.json", first=0) == {7: "cat"}
