"""Recordings: what was answered once is answered again, byte for byte, and nothing secret is in the
folder.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_letters
from tempfile import TemporaryDirectory

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, SourceBroken
from livereview.fetch import Answer, Fetcher
from livereview.fetch.paging import pages
from livereview.replay import Recorder, ReplayServer, canonical
from livereview.sources.protocol import Query, Request, Source, Window
from tests.world import (
    TOY,
    Reply,
    Time,
    World,
    chunked,
    making,
    packed,
    page,
    read,
    redirect,
    reply,
    searched,
)

KEY, CONTACT = "k3y-which&nobody=sees", "somebody@example.org"
BODY = '{"items": ["Straße", "b"], "next": null}'.encode() * 20
WINDOW = Window(None, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


def never(seconds: float) -> None:
    raise AssertionError(f"a replay waited {seconds} s")


def recorded(world: World, folder: Path, request: Request, times: int = 1) -> list[Answer]:
    """The answers to a request asked so many times, kept in the folder."""
    keep = Recorder(folder).keep
    with making(world, Time(), secrets={"K": KEY}, contact=CONTACT) as fetcher:
        answers = [fetcher.get(request, TOY) for _ in range(times)]
    for answer in answers:
        keep(answer)
    return answers


def replayed(folder: Path, request: Request, times: int = 1) -> list[Answer]:
    with (
        ReplayServer(folder) as server,
        Fetcher(secrets={"K": KEY}, via=server.base, sleep=never) as fetcher,
    ):
        return [fetcher.get(request, TOY) for _ in range(times)]


def kept(*bodies: bytes, folder: Path, url: str = "https://api.test/works?a=1") -> None:
    recorder = Recorder(folder)
    for body in bodies:
        recorder.keep(Answer("toy", url, None, 200, (("content-type", "application/json"),), body))


SENT = {
    "plain": reply(BODY, content_type="application/json", etag='"a"'),
    "gzip": packed(BODY, content_type="text/xml", last_modified="Sun, 01 Mar 2026 02:00:00 GMT"),
    "chunked": chunked(BODY, content_type="text/html; charset=utf-8"),
    "chunked gzip": chunked(gzip.compress(BODY), content_encoding="gzip"),
    "redirected": redirect("/elsewhere"),
    "not utf-8": reply(bytes(range(256)), x_unknown="not kept"),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
@pytest.mark.parametrize(
    "form", [None, (("term", "fostér & care"), ("empty", ""))], ids=["GET", "POST"]
)
def test_a_replay_gives_the_answers_that_were_recorded(
    world: World, tmp_path: Path, sent: Reply, form: tuple[tuple[str, str], ...] | None
) -> None:
    world.script("/elsewhere", packed(BODY, etag='W/"2"'))
    url = world.script("/a b/ü", sent).replace("/a b/ü", "/a%20b/%C3%BC")
    world.script("/a%20b/%C3%BC", sent)
    request = Request(
        f"{url}?z=1",
        (("q", '"out of home" & ü'), ("b", "")),
        form=form,
        secrets=(("api_key", "K"),),
    )
    first = recorded(world, tmp_path, request)
    assert replayed(tmp_path, request) == first
    assert first[0].body


words = st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=20)
pairs = st.lists(st.tuples(words.filter(bool), words), max_size=4).map(tuple)


@settings(max_examples=40)
@given(
    st.text(ascii_letters + "/. %ü", max_size=12),
    pairs,
    st.none() | pairs,
    st.binary(min_size=1, max_size=300),
)
def test_whatever_was_asked_and_answered_comes_again(
    path: str,
    params: tuple[tuple[str, str], ...],
    form: tuple[tuple[str, str], ...] | None,
    body: bytes,
) -> None:
    body += b"."  # a blank answer is none
    with TemporaryDirectory() as folder, World() as world:
        request = Request(f"{world.base}/x{path}", params, form=form)
        with making(world, Time()) as fetcher:
            world.always = reply(body, content_type="text/plain")
            answer = fetcher.get(request, TOY)
        Recorder(Path(folder)).keep(answer)
        assert replayed(Path(folder), request) == [answer]


def test_a_whole_search_is_replayed_page_by_page_without_waiting(
    world: World, tmp_path: Path
) -> None:
    source = searched(world, page("c2", "a"), page("c3", "b"), reply("<html>broken</html>"))
    recorder = Recorder(tmp_path)

    def run(fetcher: Fetcher) -> tuple[list[Answer], str]:
        came = []
        with pytest.raises(SourceBroken) as told:
            for answer in pages(fetcher, source, Query("care"), WINDOW):
                came.append(answer)
        return came, str(told.value)

    with making(world, Time()) as fetcher:
        first = run(fetcher)
    for answer in first[0]:
        recorder.keep(answer)
    with (
        ReplayServer(tmp_path) as server,
        Fetcher(secrets={}, via=server.base, sleep=never) as fetcher,
    ):
        assert run(fetcher) == first
    assert len(first[0]) == 3


def test_the_same_request_is_answered_in_recorded_order_and_the_last_answer_stays(
    tmp_path: Path,
) -> None:
    kept(b"first", b"second", folder=tmp_path)
    request = Request("https://api.test/works", (("a", "1"),))
    assert [answer.body for answer in replayed(tmp_path, request, 4)] == [
        b"first",
        b"second",
        b"second",
        b"second",
    ]
    assert replayed(tmp_path, request)[0].body == b"first", "another replay starts anew"


def test_an_unchanged_answer_is_replayed_as_such(world: World, tmp_path: Path) -> None:
    request = Request(world.script("/a", reply(b"", 304, etag='"v1"')))
    with making(world, Time()) as fetcher:
        answer = fetcher.get(request, TOY, validators=('"v1"', None))
    Recorder(tmp_path).keep(answer)
    with (
        ReplayServer(tmp_path) as server,
        Fetcher(secrets={}, via=server.base, sleep=never) as fetcher,
    ):
        assert fetcher.get(request, TOY, validators=('"v1"', None)) == answer


def test_a_replay_runs_through_the_limits_too(tmp_path: Path) -> None:
    kept(b"x" * 11, folder=tmp_path)
    with (
        ReplayServer(tmp_path) as server,
        Fetcher(secrets={}, via=server.base, limits={"toy": 10}) as fetcher,
        pytest.raises(SourceBroken, match="larger than 10 bytes"),
    ):
        fetcher.get(Request("https://api.test/works?a=1"), TOY)


def test_a_request_that_was_never_recorded_is_told_with_the_nearest(tmp_path: Path) -> None:
    kept(b"first", folder=tmp_path, url="https://api.test/works?cursor=*&q=care")
    kept(b"other", folder=tmp_path, url="https://elsewhere.test/feed")
    with ReplayServer(tmp_path) as server:
        told = requests.get(f"{server.base}/https/api.test/works?q=care&cursor=c2", timeout=5)
        assert told.status_code == 404
        assert told.json() == {
            "error": "not in this recording: GET https://api.test/works?cursor=c2&q=care",
            "nearest": "GET https://api.test/works?cursor=%2A&q=care",
        }
        posted = requests.post(
            f"{server.base}/https/api.test/works", data={"b": "2", "a": "1"}, timeout=5
        )
        assert (
            posted.json()["error"]
            == "not in this recording: POST https://api.test/works with a=1&b=2"
        )
    with pytest.raises(SourceBroken, match="not in this recording"):
        replayed(tmp_path, Request("https://api.test/nothing"))


def test_a_replay_never_reaches_out(world: World, tmp_path: Path) -> None:
    kept(b"here", folder=tmp_path, url=f"{world.base}/a")
    world.script("/a", reply(b"there"))
    assert replayed(tmp_path, Request(f"{world.base}/a"))[0].body == b"here"
    assert world.seen == []


def test_a_recording_holds_no_secret(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = (("api_key", "K"), ("header:x-key", "K"))
    told = {"next": f"https://x.test/?api_key={KEY}", "mail": CONTACT}
    url = world.script(
        "/a", reply(json.dumps(told), etag=KEY, content_type=f"text/plain; key={KEY}")
    )
    recorded(world, tmp_path, Request(url, (("q", "care"),), secrets=secrets))
    recorded(world, tmp_path, Request(url, form=(("q", "care"),), secrets=secrets))
    everything = (
        b"".join(path.name.encode() + path.read_bytes() for path in tmp_path.rglob("*"))
        + caplog.text.encode()
    )
    assert world.seen[0].query["api_key"] == world.seen[1].form["api_key"] == KEY
    for secret in (b"k3y-which", b"somebody", b'api_key": "'):
        assert secret not in everything


def test_the_same_answers_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        kept(b"first", b"second", folder=tmp_path / name)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two
    assert sorted(one) == ["001-toy-a7937b64.json", "002-toy-16367aac.json", "index.json"]


def test_a_recording_is_readable_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    kept(b"first", folder=tmp_path, url="https://api.test?b=2&a=1")
    kept(b"second", folder=tmp_path)
    first, second = json.loads((tmp_path / "index.json").read_text())["answers"]
    assert (first["method"], first["url"], first["form"]) == (
        "GET",
        "https://api.test/?a=1&b=2",
        None,
    )
    assert (first["status"], first["source"], first["headers"]) == (
        200,
        "toy",
        {"content-type": "application/json"},
    )
    assert second["file"].startswith("002-toy-")


def test_a_third_party_s_source_names_a_file_that_stays_in_the_folder(tmp_path: Path) -> None:
    Recorder(tmp_path).keep(Answer("my/../pkg.mod:Attr", "https://x.test/", None, 200, (), b"x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "001-my_.._pkg.mod_Attr-2d711642.bin",
        "index.json",
    ]


def test_the_order_of_a_query_or_form_makes_no_other_request() -> None:
    one = canonical("POST", "https://x.test?b=2&a=%20#top", (("d", "1"), ("c", "2")))
    assert one == canonical("POST", "https://x.test/?a=+&b=2", (("c", "2"), ("d", "1")))
    assert one != canonical("POST", "https://x.test/?a=&b=2", (("c", "2"), ("d", "1")))
    assert canonical("GET", "https://x.test/?a=", None) != canonical("GET", "https://x.test/", None)
    assert one != canonical("GET", "https://x.test/?a=+&b=2", None)


@pytest.mark.parametrize("index", [None, b"no json", b"{}", b'{"format": 2, "answers": []}', b"[]"])
def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path, index: bytes | None) -> None:
    if index is not None:
        (tmp_path / "index.json").write_bytes(index)
    with pytest.raises(Refused, match="recording"):
        ReplayServer(tmp_path)


def test_a_damaged_recording_is_refused_by_file(tmp_path: Path) -> None:
    kept(b"first", folder=tmp_path)
    body = next(tmp_path.glob("001*"))
    body.write_bytes(b"firsT")
    with pytest.raises(Refused, match=r"001-toy-a7937b64\.json is missing or not"):
        ReplayServer(tmp_path)
    body.unlink()
    with pytest.raises(Refused, match="damaged"):
        ReplayServer(tmp_path)


def test_a_server_that_is_not_open_has_no_address(tmp_path: Path) -> None:
    kept(b"first", folder=tmp_path)
    with pytest.raises(Refused, match="context manager"):
        _ = ReplayServer(tmp_path).base


def test_what_a_recorded_source_does_wrong_is_wrong_again(tmp_path: Path) -> None:
    kept(b'{"items": ["a', folder=tmp_path)
    source = Source("toy", "Toy", read, lambda *asked: Request("https://api.test/works?a=1"))
    with (
        ReplayServer(tmp_path) as server,
        Fetcher(secrets={}, via=server.base, sleep=never) as fetcher,
    ):
        walk = pages(fetcher, source, Query(), WINDOW)
        assert next(walk).body == b'{"items": ["a'
        with pytest.raises(LivereviewError, match="truncated"):
            next(walk)
