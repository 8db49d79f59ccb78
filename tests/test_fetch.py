"""Talking to publishers: what they send wrong, pages to their end, how often a host is asked."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest

from livereview.errors import LivereviewError, Refused, Retry, SourceBroken
from livereview.fetch import Answer, Fetcher
from livereview.fetch.paging import pages
from livereview.fetch.politeness import stated_gap, stated_pause
from livereview.sources.protocol import Query, Request, Source, Window
from tests.world import (
    TOY,
    Reply,
    Time,
    World,
    bomb,
    chunked,
    cut_gzip,
    dropped,
    endless,
    hang_up,
    making,
    packed,
    page,
    read,
    redirect,
    reply,
    searched,
)

KEY = "k3y-which&nobody=sees"
BODY = b'{"items": ["a", "b"], "next": null}' * 20
WINDOW = Window(None, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def fetcher(world: World, time: Time) -> Iterator[Fetcher]:
    with making(world, time) as made:
        yield made


# What comes back


@pytest.mark.parametrize(
    "sent",
    [reply(BODY), packed(BODY), chunked(BODY), chunked(gzip.compress(BODY), content_encoding="gzip"),
     reply(gzip.compress(BODY[:99]) + gzip.compress(BODY[99:]), content_encoding="x-gzip")],
    ids=["plain", "gzip", "chunked", "chunked gzip", "gzip of two members"],
)  # fmt: skip
def test_the_body_comes_unpacked_however_it_was_sent(
    world: World, fetcher: Fetcher, sent: Reply
) -> None:
    answer = fetcher.get(Request(world.script("/a", sent), (("q", "foster care"),)), TOY)
    assert answer.body == BODY
    assert (answer.url, answer.status, answer.source) == (
        f"{world.base}/a?q=foster+care",
        200,
        "toy",
    )


@pytest.mark.parametrize(
    "fault",
    [reply(b"", 500), reply(b"", 502), reply(b"", 503), reply(b"", 504), reply(b"", 429), dropped(BODY), cut_gzip(BODY),
     chunked(BODY, whole=False), hang_up(), reply(b""), reply(b" \n"), reply(b"no gzip", content_encoding="gzip")],
    ids=["500", "502", "503", "504", "429", "dropped", "cut gzip", "cut chunks", "hang up", "empty",
         "blank", "no gzip"],
)  # fmt: skip
def test_what_may_pass_is_asked_again(
    world: World, fetcher: Fetcher, time: Time, fault: Reply
) -> None:
    url = world.script("/a", fault, fault, reply(BODY))
    assert fetcher.get(Request(url), TOY).body == BODY
    assert len(world.seen) == 3
    assert max(time.slept) <= 4.0


def test_nobody_is_asked_more_than_five_times_and_the_pauses_are_drawn_from_doubling_spans(
    world: World, fetcher: Fetcher, time: Time
) -> None:
    with pytest.raises(Retry, match=r"Toy answered 503: 'Sorry'.*127\.0\.0\.1"):
        fetcher.get(
            Request(world.script("/a", reply("<h1>Sorry</h1>", 503))),
            Source("toy", "Toy", read, interval=0.0),
        )
    dice = Random(7)
    assert len(world.seen) == 5
    assert time.slept == [round(dice.uniform(0, span), 3) for span in (2.0, 4.0, 8.0, 16.0)]


def test_an_answer_that_stays_empty_breaks_the_source(world: World, fetcher: Fetcher) -> None:
    with pytest.raises(SourceBroken, match="Toy sent an empty answer"):
        fetcher.get(Request(world.script("/a", reply(b""))), TOY)
    assert len(world.seen) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 304, 501])
def test_what_asking_again_would_not_mend_is_asked_once(
    world: World, fetcher: Fetcher, status: int
) -> None:
    words = reply("<html><body><p>go\n away\x1b[31m</p></body></html>" + "x" * 9_000, status)
    with pytest.raises(SourceBroken, match=f"Toy answered {status}") as told:
        fetcher.get(Request(world.script("/a", words)), TOY)
    assert len(world.seen) == 1
    if status != 304:
        assert "go away" in str(told.value) and "\x1b" not in str(told.value)
    assert len(str(told.value)) < 400


def test_a_403_says_what_to_do(world: World, fetcher: Fetcher) -> None:
    with pytest.raises(SourceBroken, match="check its key"):
        fetcher.get(Request(world.script("/a", reply(b"blocked", 403))), TOY)


def test_retry_after_is_kept_to(world: World, fetcher: Fetcher, time: Time) -> None:
    url = world.script("/a", reply("slow down", 429, retry_after=100), reply(BODY))
    fetcher.get(Request(url), TOY)
    assert time.slept == [100.0]


def test_who_asks_to_come_back_tomorrow_is_left_alone_at_once(
    world: World, fetcher: Fetcher, time: Time
) -> None:
    with pytest.raises(Retry, match="come back in 54,000 s") as told:
        fetcher.get(
            Request(world.script("/a", reply("<html>budget</html>", 429, retry_after=54_000))), TOY
        )
    assert told.value.after == 54_000
    assert (len(world.seen), time.slept) == (1, [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("7.5", 7.5), ("0", 0.0), ("Sun, 01 Mar 2026 02:00:30 GMT", 30.0),
     ("Sun, 01 Mar 2020 02:00:30 GMT", 0.0),
     ("", None), ("-3", None), ("inf", None), ("nan", None), ("soon", None), ("Sun, 99 Mar 2026 02:00:30 GMT", None)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert stated_pause({"retry-after": text, "date": "Sun, 01 Mar 2026 02:00:00 GMT"}) == seconds


def test_a_date_to_come_back_without_a_date_of_now_is_not_guessed_at() -> None:
    assert stated_pause({"retry-after": "Sun, 01 Mar 2026 02:00:30 GMT"}) is None


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
def test_what_unpacks_to_far_more_comes_whole(world: World, fetcher: Fetcher, size: int) -> None:
    body = b"x" * size
    answer = fetcher.get(
        Request(world.script("/a", chunked(gzip.compress(body), size=40, content_encoding="gzip"))),
        TOY,
    )
    assert answer.body == body
    assert len(world.seen) == 1


@pytest.mark.parametrize(
    "sent", [bomb(5_000_000), endless(), reply(bytes(1_001))], ids=["bomb", "endless", "one over"]
)
def test_an_answer_larger_than_its_limit_is_not_read_to_its_end(
    world: World, time: Time, sent: Reply
) -> None:
    with making(world, time, limits={"toy": 1_000}) as fetcher:
        with pytest.raises(SourceBroken, match=r"larger than 1,000 bytes.*toy"):
            fetcher.get(Request(world.script("/a", sent)), TOY)
        assert fetcher.get(Request(world.script("/b", reply(bytes(999) + b"1"))), TOY).status == 200
    assert len(world.seen) == 2


def test_feeds_have_a_limit_of_their_own(world: World, fetcher: Fetcher) -> None:
    url = world.script("/a", bomb(6_000_000))
    with pytest.raises(SourceBroken, match="5,000,000"):
        fetcher.get(Request(url), Source("feed", "Feed", read, interval=0.0))
    assert len(fetcher.get(Request(url), TOY).body.strip(b" ")) == 6_000_000


def test_an_answer_that_trickles_in_forever_ends_at_the_deadline(world: World) -> None:
    time = Time(pace=40.0)
    with making(world, time) as fetcher, pytest.raises(Retry, match="not complete after 300 s"):
        fetcher.get(
            Request(world.script("/a", endless())), Source("toy", "Toy", read, interval=0.0)
        )
    assert len(world.seen) == 5


def test_a_server_that_says_nothing_is_given_up(world: World, time: Time) -> None:
    silence = threading.Event()

    def silent() -> Iterator[bytes]:
        silence.wait(5)
        yield b""

    with (
        making(world, time, timeouts=(1.0, 0.05)) as fetcher,
        pytest.raises(Retry, match="ReadTimeout"),
    ):
        fetcher.get(Request(world.script("/a", silent)), TOY)
    silence.set()
    assert len(world.seen) == 5


def test_a_packing_that_nobody_asked_for_is_told(world: World, fetcher: Fetcher) -> None:
    with pytest.raises(SourceBroken, match="packed as 'br'"):
        fetcher.get(Request(world.script("/a", reply(b"..", content_encoding="br"))), TOY)


def test_an_unchanged_answer_is_304_without_a_body(world: World, fetcher: Fetcher) -> None:
    url = world.script(
        "/a", reply(BODY, etag='"v1"', last_modified="then"), reply(b"", 304, etag='"v1"')
    )
    first = fetcher.get(Request(url), TOY)
    again = fetcher.get(
        Request(url), TOY, validators=(first.header("etag"), first.header("last-modified"))
    )
    assert (again.status, again.body, again.header("etag")) == (304, b"", '"v1"')
    asked = world.seen[1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', "then")


def test_a_form_is_posted_and_shown_without_its_secret(world: World, time: Time) -> None:
    request = Request(
        world.script("/a", reply(BODY)),
        form=(("term", "foster care"),),
        secrets=(("api_key", "K"),),
    )
    with making(world, time, secrets={"K": KEY}, contact="who@example.org") as fetcher:
        answer = fetcher.get(request, TOY)
    seen = world.seen[0]
    assert (seen.method, seen.form, seen.query) == (
        "POST",
        {"term": "foster care", "api_key": KEY},
        {},
    )
    assert answer.form == (("term", "foster care"),)
    assert (
        seen.headers["user-agent"].startswith("livereview/")
        and "who@example.org" in seen.headers["user-agent"]
    )


# Redirects


def test_redirects_are_followed_three_times(world: World, fetcher: Fetcher) -> None:
    world.script("/1", redirect("/2", 301))
    world.script("/2", redirect(f"{world.base}/3", 307))
    world.script("/3", redirect("4", 303))
    world.script("/4", reply(BODY))
    answer = fetcher.get(Request(f"{world.base}/1", form=(("a", "b"),)), TOY)
    assert (answer.body, answer.url) == (BODY, f"{world.base}/1")
    assert [(seen.method, seen.form) for seen in world.seen] == [("POST", {"a": "b"})] * 3 + [
        ("GET", {})
    ]


def test_a_redirect_loop_ends(world: World, fetcher: Fetcher) -> None:
    with pytest.raises(SourceBroken, match="more than 3 redirects"):
        fetcher.get(Request(world.script("/a", redirect("/a"))), TOY)
    assert len(world.seen) == 4


@pytest.mark.parametrize(
    "to",
    ["http://localhost:{other}/", "http://169.254.169.254/", "file:///etc/passwd", "http://[x/"],
)
def test_a_redirect_is_checked_as_any_address(world: World, fetcher: Fetcher, to: str) -> None:
    other = world.endpoint[1] - 1
    with pytest.raises(SourceBroken):
        fetcher.get(Request(world.script("/a", redirect(to.format(other=other)))), TOY)
    assert len(world.seen) == 1


def test_secrets_follow_a_redirect_to_the_same_host_only(world: World, time: Time) -> None:
    names = {"here.test": ["127.0.0.1"], "there.test": ["127.0.0.1"]}
    port = world.endpoint[1]
    secrets = (("api_key", "K"), ("header:x-api-key", "K"))
    world.script("/a", redirect("/b?api_key=echoed&page=2"))
    world.script("/b", redirect(f"http://there.test:{port}/c?api_key=echoed&page=3"))
    world.script("/c", reply(BODY))
    with making(world, time, secrets={"K": KEY}, resolve=lambda host, _: names[host]) as fetcher:
        fetcher.get(Request(f"http://here.test:{port}/a", secrets=secrets), TOY)
    assert [seen.query for seen in world.seen] == [
        {"api_key": KEY},
        {"page": "2", "api_key": KEY},
        {"page": "3"},
    ]
    assert [seen.headers.get("x-api-key") for seen in world.seen] == [KEY, KEY, None]


# Pages


def run(
    fetcher: Fetcher, source: Source, **settings: int
) -> tuple[list[Answer], LivereviewError | None]:
    came: list[Answer] = []
    try:
        for answer in pages(fetcher, source, Query("care"), WINDOW, **settings):
            came.append(answer)
    except LivereviewError as error:
        return came, error
    return came, None


def test_pages_follow_the_cursor_to_the_end(world: World, fetcher: Fetcher) -> None:
    came, error = run(fetcher, searched(world, page("c2", "a"), page("c3", "b"), page(None, "c")))
    assert error is None
    assert [(answer.cursor, answer.number) for answer in came] == [(None, 1), ("c2", 2), ("c3", 3)]
    assert [seen.query["cursor"] for seen in world.seen] == ["*", "c2", "c3"]


def test_a_page_is_handed_over_before_the_next_is_asked_for(world: World, fetcher: Fetcher) -> None:
    walk = pages(fetcher, searched(world, page("c2"), page(None)), Query("care"), WINDOW)
    next(walk)
    assert len(world.seen) == 1


def test_a_repeated_cursor_is_refused_by_name(world: World, fetcher: Fetcher) -> None:
    came, error = run(fetcher, searched(world, page("c2"), page("c3"), page("c2")))
    assert isinstance(error, SourceBroken) and "the cursor repeats after page 3: 'c2'" in str(error)
    assert len(came) == len(world.seen) == 3


def test_a_search_without_an_end_is_an_error_and_not_a_short_result(
    world: World, fetcher: Fetcher
) -> None:
    came, error = run(fetcher, searched(world, *(page(f"c{n}") for n in range(9))), max_pages=4)
    assert isinstance(error, SourceBroken) and "did not end after 4 pages" in str(error)
    assert len(came) == len(world.seen) == 4


def test_an_error_page_is_handed_over_before_its_error_is_raised(
    world: World, fetcher: Fetcher
) -> None:
    came, error = run(fetcher, searched(world, page("c2"), reply("<html>Something broke</html>")))
    assert isinstance(error, SourceBroken)
    assert came[1].body == b"<html>Something broke</html>" and came[1].cursor == "c2"
    assert len(world.seen) == 2


def test_a_truncated_page_is_asked_for_again_and_handed_over_once(
    world: World, fetcher: Fetcher
) -> None:
    came, error = run(fetcher, searched(world, reply('{"items": ["a'), page(None, "a")))
    assert error is None
    assert len(came) == 1 and len(world.seen) == 2


def test_a_page_that_stays_truncated_is_handed_over_and_then_told(
    world: World, fetcher: Fetcher
) -> None:
    came, error = run(fetcher, searched(world, reply('{"items": ["a')))
    assert isinstance(error, Retry) and "truncated" in str(error)
    assert len(came) == 1 and len(world.seen) == 5


def test_bytes_of_an_earlier_try_are_not_taken_for_the_last(world: World, fetcher: Fetcher) -> None:
    came, error = run(fetcher, searched(world, reply('{"items": ["a'), reply(b"gone", 404)))
    assert isinstance(error, SourceBroken) and "404" in str(error)
    assert came == []


def test_a_source_of_files_can_not_be_searched(fetcher: Fetcher) -> None:
    _, error = run(fetcher, TOY)
    assert isinstance(error, Refused) and "import a file" in str(error)


# Politeness


def test_a_host_is_asked_at_its_interval_and_others_are_not_kept_waiting(
    world: World, time: Time
) -> None:
    world.script("/a", reply(BODY))
    port = world.endpoint[1]
    with making(world, time, resolve=lambda host, _: ["127.0.0.1"]) as fetcher:
        for host in ("one.test", "one.test", "two.test", "one.test"):
            fetcher.get(Request(f"http://{host}:{port}/a"), TOY)
            time.now += 1.0
    assert time.slept == [2.0, 1.0], "3 s apart; a second had passed each time, two at the last"


def test_the_rate_that_an_answer_states_is_kept(world: World, fetcher: Fetcher, time: Time) -> None:
    url = world.script(
        "/a", reply(BODY, x_rate_limit_limit=2, x_rate_limit_interval="10s"), reply(BODY)
    )
    for _ in range(3):
        fetcher.get(Request(url), TOY)
    assert time.slept == [5.0, 3.0]


@pytest.mark.parametrize(
    ("limit", "interval", "gap"),
    [
        ("50", "1s", 0.02),
        ("3", "1", 1 / 3),
        ("0", "1s", 0.0),
        ("x", "1s", 0.0),
        ("1", "9999s", 60.0),
    ],
)
def test_a_stated_rate_that_makes_no_sense_is_not_kept(
    limit: str, interval: str, gap: float
) -> None:
    assert stated_gap(
        {"x-rate-limit-limit": limit, "x-rate-limit-interval": interval}
    ) == pytest.approx(gap)


def test_threads_ask_one_host_one_at_a_time(world: World, time: Time) -> None:
    busy, most = 0, 0

    def slow() -> Iterator[bytes]:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        threading.Event().wait(0.02)
        busy -= 1
        yield from reply(BODY)()

    url = world.script("/a", slow)
    with making(world, time) as fetcher:
        threads = [threading.Thread(target=fetcher.get, args=(Request(url), TOY)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(world.seen), most, time.slept) == (4, 1, [3.0, 3.0, 3.0])
