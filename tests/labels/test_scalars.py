from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.labels import Attribute, AttributeKind, LabelSchema, UnreadableValue, scalars

VALUES = {
    AttributeKind.BOOL: st.booleans(),
    AttributeKind.INT: st.integers(-(2**63), 2**63 - 1),
    AttributeKind.FLOAT: st.floats(),
    AttributeKind.TEXT: st.text(st.characters(exclude_characters="\0"), max_size=4096).map(
        str.strip
    ),
}


def schema_of(kind):
    return LabelSchema(("field",), (Attribute("value", kind),), kind="scalar")


@given(st.data())
@pytest.mark.parametrize("kind", list(VALUES))
def test_scalars__label_shape_label_is_the_identity(kind, data):
    value = data.draw(VALUES[kind])
    schema = schema_of(kind)
    (label,) = scalars.labels_of(value, "place")
    drawn = scalars.to_drawn(label, (1, 1), schema)
    assert scalars.changed_fields(drawn, drawn, (1, 1), schema) == {}
    read = scalars.changed_fields(drawn, None, (1, 1), schema)["value"]
    assert type(read) is type(value)
    assert repr(read) == repr(value)  # NaN too
    assert scalars.value_of([{**label, "value": read}]) is read


def test_scalars__none_is_no_tag():
    assert scalars.labels_of(None, "place") is None
    assert scalars.value_of(None) is None
    assert scalars.value_of([]) is None


def test_changed_fields__no_value_of_the_type():
    schema = schema_of(AttributeKind.INT)
    drawn = scalars.to_drawn(scalars.labels_of(3, "place")[0], (1, 1), schema)
    odd = type(drawn)("field", (), attributes={"value": "many"}, type=drawn.type)
    with pytest.raises(UnreadableValue, match="many"):
        scalars.changed_fields(odd, drawn, (1, 1), schema)
