"""Filter expressions, without a server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo.cvat_server.errors import ApiError
from demo.cvat_server.json_logic import compile_filter

FIELDS = {"id": "id", "name": "text", "updated_date": "date", "assignee": "text"}
ROWS = [
    {"id": 1, "name": "One", "updated_date": "2026-11-23T02:00:41.048009Z", "assignee": "ann"},
    {"id": 2, "name": "Two", "updated_date": "2026-11-23T02:00:42.000000Z", "assignee": None},
    {"id": 3, "name": "Three", "updated_date": "2026-11-24T00:00:00.500000Z", "assignee": "bob"},
]


@pytest.mark.parametrize(
    ("rules", "ids"),
    [
        ({"==": [{"var": "id"}, 2]}, [2]),
        ({"!=": [{"var": "id"}, 2]}, [1, 3]),
        ({"in": [{"var": "id"}, [1, 3, 99]]}, [1, 3]),
        ({"in": ["T", {"var": "name"}]}, [2, 3]),
        ({"!": {"==": [{"var": "id"}, 2]}}, [1, 3]),
        ({"var": "assignee"}, [1, 3]),
        ({"and": [{">": [{"var": "id"}, 1]}, {"<": [{"var": "id"}, 3]}]}, [2]),
        ({"or": [{"==": [{"var": "id"}, 1]}, {"==": [{"var": "name"}, "Three"]}]}, [1, 3]),
        ({"<=": [2, {"var": "id"}, 3]}, [2, 3]),
        ({">": [{"var": "updated_date"}, "2026-11-23T02:00:41Z"]}, [1, 2, 3]),
        ({">": [{"var": "updated_date"}, "2026-11-23T02:00:41.048009Z"]}, [2, 3]),
        ({">=": [{"var": "updated_date"}, "2026-11-23T03:00:42+01:00"]}, [2, 3]),
    ],
)
def test_compile_filter__selects(rules: dict[str, Any], ids: list[int]):
    test = compile_filter(json.dumps(rules), FIELDS)
    assert [row["id"] for row in ROWS if test(row)] == ids


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("{bad", 400),
        ('{"==": [{"var": "foo"}, 1]}', 400),
        ('{"foo": [{"var": "id"}, 1]}', 400),
        ('{"==": [{"var": "id"}, "abc"]}', 500),
        ('{">": [{"var": "updated_date"}, "yesterday"]}', 500),
    ],
)
def test_compile_filter__refuses(text: str, status: int):
    with pytest.raises(ApiError) as refusal:
        compile_filter(text, FIELDS)
    assert refusal.value.status == status
