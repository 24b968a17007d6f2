from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.labels import (
    Attribute,
    AttributeKind,
    Drawn,
    LabelSchema,
    UnreadableValue,
    detections,
)

TEXT = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
TEXTS = st.text(TEXT).map(str.strip)  # CVAT strips what is around them
VALUES = {
    AttributeKind.BOOL: st.booleans(),
    AttributeKind.BINARY: st.sampled_from([0, 1]),
    AttributeKind.INT: st.integers(-(2**62), 2**62),
    AttributeKind.FLOAT: st.floats(allow_nan=False),
    AttributeKind.TEXT: TEXTS,
    AttributeKind.CHOICE: TEXTS.filter(bool),
    AttributeKind.RADIO: TEXTS.filter(bool),
    AttributeKind.OCCLUDED: st.booleans(),
    AttributeKind.GROUP: st.integers(0, 2**31),
    AttributeKind.LIST: st.lists(
        st.one_of(st.text(TEXT), st.integers(), st.booleans(), st.floats(allow_nan=False))
    ),
}


DECLARED = [kind for kind in AttributeKind if Attribute("a", kind).is_declared]


@pytest.mark.parametrize("kind", list(AttributeKind))
@given(data=st.data())
def test_to_value__is_the_reverse_of_to_text_and_keeps_the_type(kind, data):
    attribute = Attribute("a", kind)
    value = data.draw(VALUES[kind])
    back = attribute.to_value(attribute.to_text(value))
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize("kind", DECLARED)
def test_to_text__of_no_value_is_the_default(kind):
    attribute = Attribute("a", kind)
    assert attribute.to_text(None) == attribute.default == attribute.to_spec().default


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (AttributeKind.BOOL, "maybe"),
        (AttributeKind.BINARY, "2"),
        (AttributeKind.INT, "1.5"),
        (AttributeKind.FLOAT, "far"),
        (AttributeKind.LIST, "a, b"),
        (AttributeKind.LIST, '"a"'),
    ],
)
def test_to_value__a_text_that_is_no_value(kind, text):
    with pytest.raises(UnreadableValue, match="'a'"):
        Attribute("a", kind).to_value(text)


def test_to_spec__the_right_input_for_each_type():
    inputs = {kind: Attribute("a", kind, ("x",)).to_spec().input_type for kind in DECLARED}
    assert inputs == {
        "bool": "checkbox",
        "0/1": "checkbox",
        "int": "number",
        "float": "text",
        "text": "text",
        "choice": "select",
        "radio": "radio",
        "list": "text",
    }
    assert Attribute("a", AttributeKind.CHOICE, ("x", "y")).to_spec().values == ("", "x", "y")


def test_to_text__what_cvat_refuses_is_cut_and_stays_whole_in_fiftyone():
    attribute = Attribute("a", AttributeKind.TEXT)
    assert len(attribute.to_text("x" * 5000)) == 4096
    assert attribute.to_text("a\0b") == "ab"
    assert attribute.to_text(" a b\n") == "a b"
    assert attribute.to_text(f"{'x' * 4095} y") == "x" * 4095
    schema = LabelSchema(("cat",), (attribute,))
    document = {"_id": 1, "label": "cat", "bounding_box": [0, 0, 1, 1], "a": "x" * 5000}
    drawn = detections.to_drawn(document, (10, 10), schema)
    moved = replace(drawn, points=(0.0, 0.0, 5.0, 5.0))
    assert set(detections.changed_fields(moved, drawn, (10, 10), schema)) == {"bounding_box"}


def test_attributes__of_some_classes_only():
    doors = Attribute("doors", AttributeKind.INT, classes=("car",))
    schema = LabelSchema(("car", "dog"), (doors,))
    names = {spec.name: [item.name for item in spec.attributes] for spec in schema.to_specs()}
    assert names == {"car": ["label_id", "doors"], "dog": ["label_id"]}
    document = {"_id": 1, "label": "car", "bounding_box": [0, 0, 1, 1], "doors": 5}
    car = detections.to_drawn(document, (10, 10), schema)
    dog = Drawn("dog", car.points, attributes={"doors": "0"})
    assert car.attributes == {"doors": "5"}
    assert detections.to_drawn(document | {"label": "dog"}, (10, 10), schema) == dog
    fields = detections.changed_fields(dog, car, (10, 10), schema)
    assert fields == {"label": "dog"}, "what a class does not have stays as it is"
