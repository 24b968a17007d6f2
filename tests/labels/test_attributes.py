from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.labels import Attribute, AttributeKind, UnreadableValue

VALUES = {
    AttributeKind.BOOL: st.booleans(),
    AttributeKind.BINARY: st.sampled_from([0, 1]),
    AttributeKind.INT: st.integers(-(2**62), 2**62),
    AttributeKind.FLOAT: st.floats(allow_nan=False),
    AttributeKind.TEXT: st.text(),
    AttributeKind.CHOICE: st.text(min_size=1),
}


@pytest.mark.parametrize("kind", list(AttributeKind))
@given(data=st.data())
def test_to_value__is_the_reverse_of_to_text_and_keeps_the_type(kind, data):
    attribute = Attribute("a", kind)
    value = data.draw(VALUES[kind])
    back = attribute.to_value(attribute.to_text(value))
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize("kind", list(AttributeKind))
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
    ],
)
def test_to_value__a_text_that_is_no_value(kind, text):
    with pytest.raises(UnreadableValue, match="'a'"):
        Attribute("a", kind).to_value(text)


def test_to_spec__the_right_input_for_each_type():
    inputs = {kind: Attribute("a", kind, ("x",)).to_spec().input_type for kind in AttributeKind}
    assert inputs == {
        "bool": "checkbox",
        "0/1": "checkbox",
        "int": "number",
        "float": "text",
        "text": "text",
        "choice": "select",
    }
    assert Attribute("a", AttributeKind.CHOICE, ("x", "y")).to_spec().values == ("", "x", "y")
