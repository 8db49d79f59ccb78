"""Windows with more hits than a source hands out, refused kinds of window, and what is left of an
allowance.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import LivereviewError, SourceBroken
from livereview.fetch import Answer, Fetcher
from livereview.fetch.paging import BEGINNING, _halves, pages
from livereview.records import Record
from livereview.sources import openalex
from livereview.sources.answers import read_json
from livereview.sources.protocol import Page, Query, Request, Source, Window
from tests.world import Time, World, as_json, making, page, reply, searched

MAY = Window(datetime(2026, 5, 1, 2, tzinfo=UTC), datetime(2026, 5, 31, 2, tzinfo=UTC))


def narrow(world: World, per_day: int, reach: int) -> Source:
    """A source that has `per_day` items on each day, hands out `reach` of a window, and answers one
    page to each.
    """

    def request(query: Query, window: Window, cursor: str | None) -> Request:
        start = window.start or BEGINNING
        days = (window.end.date() - start.date()).days + 1
        path = f"/{start.date()}/{window.end.date()}"
        world.script(path, as_json({"total": days * per_day, "days": days}))
        return Request(world.base + path)

    def read(body: bytes, cursor: str | None) -> Page:
        return Page(total=read_json(body, "toy", "Toy")["total"])

    return Source("toy", "Toy", read, request, interval=0.0, reach=reach)


def spans(answers: list[Answer]) -> list[tuple[str, str]]:
    return [(parts[-2], parts[-1]) for answer in answers if (parts := answer.url.split("/"))]


def days(span: tuple[str, str]) -> int:
    return (datetime.fromisoformat(span[1]) - datetime.fromisoformat(span[0])).days


def test_a_window_over_the_sources_reach_is_searched_in_halves_that_cover_it() -> None:
    with World() as world, making(world, Time()) as fetcher:
        asked = spans(list(pages(fetcher, narrow(world, 10, 100), Query("x"), MAY)))
    small = sorted(
        span
        for span in asked
        if (datetime.fromisoformat(span[1]) - datetime.fromisoformat(span[0])).days < 10
    )
    assert small[0][0] == "2026-05-01" and small[-1][1] == "2026-05-31"
    for (_, end), (start, _) in pairwise(small):
        assert datetime.fromisoformat(start) - datetime.fromisoformat(end) == timedelta(days=1)


def test_a_single_day_over_the_reach_is_read_as_far_as_it_goes_and_then_named_as_short() -> None:
    with (
        World() as world,
        making(world, Time()) as fetcher,
        pytest.raises(SourceBroken, match="narrow the search"),
    ):
        list(pages(fetcher, narrow(world, 200, 100), Query("x"), MAY))


def test_a_source_without_days_over_its_reach_is_read_to_the_end_and_named_as_short() -> None:
    with World() as world, making(world, Time()) as fetcher:
        source = replace(searched(world, page("b", "1"), page(None, "2")), reach=1, days=False)
        whole = replace(
            source, parse=lambda body, cursor: replace(source.parse(body, cursor), total=2)
        )
        got: list[Answer] = []
        with pytest.raises(SourceBroken, match="more than the 1 records"):
            got.extend(pages(fetcher, whole, Query("x"), MAY))
        assert world.seen[-1].query["cursor"] == "b"


@given(st.integers(0, 40_000), st.integers(0, 4_000))
def test_halves_share_no_day_and_lose_none(first: int, length: int) -> None:
    start = BEGINNING + timedelta(days=first, hours=5)
    window = Window(start, start + timedelta(days=length))
    halves = _halves(window)
    if length == 0:
        assert halves == ()
        return
    left, right = halves
    assert left.start == window.start and right.end == window.end and right.start
    assert (right.start.date() - left.end.date()).days == 1
    assert left.end.date() >= start.date() and right.end.date() >= right.start.date()


REFUSAL = {"error": "Forbidden", "message": "from_created_date needs a premium plan"}


def openalex_at(world: World) -> Source:
    """OpenAlex, asked at the world's address."""
    url = f"{world.base}/works"

    def request(query: Query, window: Window, cursor: str | None) -> Request:
        return replace(openalex.request(query, window, cursor), url=url)

    return replace(openalex.SOURCE, request=request, interval=0.0)


def fallback_of(world: World, *replies: object) -> list[Answer]:
    world.script("/works", *replies)  # type: ignore[arg-type]
    with making(world, Time()) as fetcher:
        return list(pages(fetcher, openalex_at(world), Query("foster care"), MAY))


def test_created_dates_that_need_a_plan_are_asked_as_publication_dates_further_back_with_a_note() -> (
    None
):
    empty = as_json({"meta": {"count": 0, "next_cursor": None}, "results": []})
    with World() as world:
        (answer,) = fallback_of(world, as_json(REFUSAL, 403), empty)
        assert answer.note and "90 days further back" in answer.note
        asked = world.seen[-1].query["filter"]
    assert "from_publication_date:2026-01-31" in asked and "to_publication_date:2026-05-31" in asked
    assert "created" not in asked


def test_a_refusal_for_another_reason_is_told_and_not_worked_around() -> None:
    with World() as world, pytest.raises(SourceBroken, match="400"):
        fallback_of(
            world,
            as_json({"error": "Invalid query parameters error.", "message": "x is no field"}, 400),
        )


def test_a_refusal_on_a_later_page_is_told() -> None:
    first = as_json(
        {"meta": {"count": 9, "next_cursor": "n"}, "results": [{"id": "https://openalex.org/W1"}]}
    )
    with World() as world, pytest.raises(SourceBroken, match="premium"):
        fallback_of(world, first, as_json(REFUSAL, 403))


def test_a_window_field_that_the_protocol_chose_is_never_changed() -> None:
    error: LivereviewError = SourceBroken("needs a premium plan")
    assert openalex.fallback(Query("x", (("window", "from_updated_date"),)), MAY, error) is None
    assert openalex.fallback(Query("x"), Window(None, MAY.end), error) is None


@pytest.mark.parametrize(
    ("headers", "share"),
    [
        ({"x_ratelimit_limit": 100, "x_ratelimit_remaining": 7}, 0.07),
        (
            {"x_ratelimit_limit_usd": 1, "x_ratelimit_remaining_usd": 0.25, "x_ratelimit_limit": 9},
            0.25,
        ),
        ({"x_ratelimit_limit": 0, "x_ratelimit_remaining": 7}, None),
        ({"x_ratelimit_remaining": 7}, None),
        ({"x_ratelimit_limit": "many", "x_ratelimit_remaining": "few"}, None),
        ({"x_ratelimit_limit": "nan", "x_ratelimit_remaining": "nan"}, None),
        ({"x_ratelimit_limit": 5, "x_ratelimit_remaining": 50}, 1.0),
        ({}, None),
    ],
)
def test_what_is_left_of_an_allowance_is_read_from_any_headers(
    headers: dict[str, object], share: float | None
) -> None:
    with World() as world, making(world, Time()) as fetcher:
        assert isinstance(fetcher, Fetcher)
        url = world.script("/q", reply("{}", **headers))
        assert fetcher.get(Request(url), Source("toy", "Toy", lambda b, c: Page())).quota == share


def test_records_that_come_twice_in_a_row_end_the_search_and_empty_pages_do_not() -> None:
    def source(world: World, bodies: list[dict[str, int]]) -> Source:
        def request(query: Query, window: Window, cursor: str | None) -> Request:
            path = f"/page/{cursor or 0}"
            world.script(path, as_json(bodies[int(cursor or 0)]))
            return Request(world.base + path)

        def read(body: bytes, cursor: str | None) -> Page:
            following = int(cursor or 0) + 1
            told = read_json(body, "toy", "Toy")
            records = tuple(Record("toy", str(n), title="A title") for n in range(told["records"]))
            return Page(records, next_cursor=str(following) if following < len(bodies) else None)

        return Source("toy", "Toy", read, request, interval=0.0)

    def number(bodies: list[dict[str, int]]) -> int:
        with World() as world, making(world, Time()) as fetcher:
            return len(list(pages(fetcher, source(world, bodies), Query("x"), MAY)))

    one, other, empty = {"records": 2}, {"records": 3}, {"records": 0}
    assert number([one, other, one]) == 3
    assert number([one, empty, empty, other]) == 4
    with pytest.raises(
        SourceBroken, match="page 3 has the records of the page before it once more"
    ):
        number([one, other, {**other, "took": 12}, one])
