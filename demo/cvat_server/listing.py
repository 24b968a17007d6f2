"""Lists: filters, search, order, pages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from . import errors
from .json_logic import compile_filter, convert
from .reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from .database import Row
    from .web import Call

_PAGE_SIZE = 10


@dataclass(frozen=True)
class Listing:
    """How one kind of object is listed.

    Attributes:
        sql: selects all rows, one column for each field
        fields: variables of ``filter=`` and ``sort=``, with their kinds (see ``compile_filter``)
        simple: fields that may be asked for by their own query key
        search: fields in which ``search=`` looks
        newest_first: the order when none is asked for
    """

    sql: str
    fields: dict[str, str]
    simple: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    newest_first: bool = True


def paginate(
    call: Call,
    listing: Listing,
    is_visible: Callable[[Row], bool],
    render: Callable[[Row], dict[str, Any]],
) -> Reply:
    """One page of the visible rows that pass the query."""
    query = call.query
    tests = [*_simple_tests(listing, query), *_search_test(listing, query)]
    if query.get("filter"):
        tests.append(compile_filter(query["filter"], listing.fields))
    rows = [
        row
        for row in call.db.all(listing.sql)
        if all(test(row) for test in tests) and is_visible(row)
    ]
    _sort(rows, listing, query.get("sort", ""))
    return page_of(call, rows, render)


def page_of(call: Call, rows: list[Any], render: Callable[[Any], dict[str, Any]]) -> Reply:
    """The page of the rows that the query asks for."""
    size, number, last = _page(call.query, len(rows))
    start = (number - 1) * size
    body = {
        "count": len(rows),
        "next": _link(call, number + 1) if number < last else None,
        "previous": _link(call, number - 1) if number > 1 else None,
        "results": [render(row) for row in rows[start : start + size]],
    }
    return Reply(body)


def _simple_tests(listing: Listing, query: dict[str, str]) -> list[Callable[[Row], bool]]:
    tests: list[Callable[[Row], bool]] = []
    for name in listing.simple:
        if query.get(name, "") == "":
            continue
        try:
            wanted = convert(query[name], listing.fields[name])
        except errors.ApiError as error:
            raise errors.invalid({name: ["Enter a number."]}) from error
        tests.append(lambda row, name=name, wanted=wanted: row[name] == wanted)  # type: ignore[misc]
    return tests


def _search_test(listing: Listing, query: dict[str, str]) -> list[Callable[[Row], bool]]:
    words = query.get("search", "").lower().replace(",", " ").split()
    if not words:
        return []

    def matches(row: Row) -> bool:
        text = "\n".join(str(row[name] or "").lower() for name in listing.search)
        return all(word in text for word in words)

    return [matches]


def _sort(rows: list[Row], listing: Listing, keys: str) -> None:
    rows.sort(key=lambda row: row["id"], reverse=listing.newest_first)
    for key in reversed(keys.split(",")):
        name = key.strip().removeprefix("-")
        if name in listing.fields:
            rows.sort(
                key=lambda row, name=name: (
                    (row[name] is None, row[name] or 0)  # type: ignore[misc]
                    if listing.fields[name] in {"id", "bool"}
                    else (row[name] is None, str(row[name] or ""))
                ),
                reverse=key.strip().startswith("-"),
            )


def _page(query: dict[str, str], count: int) -> tuple[int, int, int]:
    wanted = query.get("page_size", "")
    if wanted == "all":
        size = max(count, 1)
    else:
        size = int(wanted) if wanted.isdecimal() and int(wanted) > 0 else _PAGE_SIZE
    last = max(math.ceil(count / size), 1)
    page = query.get("page", "1")
    if page == "last":
        return size, last, last
    if not page.isdecimal() or not 1 <= int(page) <= last:
        raise errors.detail(404, "Invalid page.")
    return size, int(page), last


def _link(call: Call, number: int) -> str:
    url = call.request.url
    query = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if pair[0] != "page"]
    if number > 1:
        query.append(("page", str(number)))
    return f"{call.base}{url.path}?{urlencode(sorted(query))}"
