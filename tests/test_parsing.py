"""What comes from outside is read in a process of its own: it may exceed its limits, and nobody
else stops.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from livereview import parsing, sources
from livereview.errors import Refused, Retry, SourceBroken
from livereview.links import LinkKind
from livereview.parsing import (
    Limits,
    ParseExceeded,
    ParsePage,
    ParserFailed,
    ReadTable,
    pool,
    worker,
)
from livereview.records import FIELDS, Record, Related
from livereview.sources.protocol import Page, Query, Source

ROOT = Path(__file__).resolve().parents[1]
RIS = b"TY  - JOUR\nTI  - A title of care\nER  - \n"
LIMITS = parsing.limits_for(ParsePage("ris", RIS))
HERE = "tests.test_parsing"


def _forever(body: bytes, cursor: str | None) -> Page:
    while True:
        pass


def _asleep(body: bytes, cursor: str | None) -> Page:
    signal.pause()
    return Page()


def _full(body: bytes, cursor: str | None) -> Page:
    """A page whose one record has all that a record can have."""
    related = tuple(Related(kind, f"doi:10.1000/{kind}") for kind in LinkKind)
    values: dict[str, Any] = {name: name for name in FIELDS}
    values |= {"authors": ("Doe, Jane",), "year": 2020, "related": related}
    values["abstract"] = "What was found."
    return Page((Record(**values),), "c", total=1, warnings=("w",), notes=("n",))


def _greedy(body: bytes, cursor: str | None) -> Page:
    held = [bytearray(10_000_000) for _ in range(1_000)]
    return Page(total=len(held))


def _deep(body: bytes, cursor: str | None) -> Page:
    return _deep(body, cursor)


def _gone(body: bytes, cursor: str | None) -> Page:
    os.kill(os.getpid(), signal.SIGSEGV)
    return Page()


def _bug(body: bytes, cursor: str | None) -> Page:
    raise KeyError("a key that is not there")


def _long(body: bytes, cursor: str | None) -> Page:
    return Page(next_cursor="x" * 50_000_000)


def _printing(body: bytes, cursor: str | None) -> Page:
    print("words that a parser left in it")
    return Page(next_cursor=f"secret {os.environ.get('LIVEREVIEW_SECRET')}")


FULL = Source("theirs-full", "A third party", _full)
FOREVER, ASLEEP, GREEDY, DEEP, GONE, BUG, LONG, PRINTING = (
    Source(f"theirs-{parse.__name__}", "A third party", parse)
    for parse in (_forever, _asleep, _greedy, _deep, _gone, _bug, _long, _printing)
)


def ask(attribute: str, limits: Limits = LIMITS) -> Page:
    return parsing.read_page(ParsePage(f"{HERE}:{attribute}", b"bytes"), limits)


def test_a_page_is_read_as_its_source_reads_it() -> None:
    assert parsing.read_page(ParsePage("ris", RIS)) == sources.find("ris").parse(RIS, None)


def test_all_that_a_record_can_have_comes_out_of_the_process() -> None:
    page = _full(b"", None)
    (record,) = page.records
    assert all(getattr(record, name) for name in FIELDS)
    assert parsing.read_page(ParsePage(f"{HERE}:FULL", b"bytes")) == page


def test_what_a_source_says_of_bytes_is_said_here_too() -> None:
    with pytest.raises(SourceBroken) as direct:
        sources.find("ris").parse(b"<html>", None)
    with pytest.raises(SourceBroken) as elsewhere:
        parsing.read_page(ParsePage("ris", b"<html>"))

    assert str(elsewhere.value) == str(direct.value)
    with pytest.raises(Refused, match="unknown source"):
        parsing.read_page(ParsePage("nowhere", b""))


@pytest.mark.parametrize(
    ("attribute", "limits", "words"),
    [
        ("FOREVER", replace(LIMITS, cpu_seconds=0.5), "more than 0 s of computing"),
        ("ASLEEP", replace(LIMITS, wall_seconds=0.5), "more than 0 s"),
        ("GREEDY", LIMITS, "more than 1.0 GB of memory"),
        ("DEEP", LIMITS, "nested too deeply"),
        ("GONE", LIMITS, "SIGSEGV"),
        ("LONG", LIMITS, "more than 20 MB"),
    ],
)
def test_what_exceeds_a_limit_is_told_with_its_number_and_the_next_page_is_read(
    attribute: str, limits: Limits, words: str
) -> None:
    with pytest.raises(ParseExceeded, match=words):
        ask(attribute, limits)

    assert parsing.read_page(ParsePage("ris", RIS)).records


def test_a_bug_of_a_parser_is_a_bug_and_tells_its_place() -> None:
    with pytest.raises(ParserFailed, match=r"(?s)_bug.*a key that is not there"):
        ask("BUG")


def test_a_parser_may_print_and_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEREVIEW_SECRET", "5ecret")
    parsing.close()

    assert ask("PRINTING").next_cursor == "secret None"


def test_a_page_that_takes_for_ever_does_not_hold_up_another() -> None:
    def read_for_ever() -> None:
        with pytest.raises(ParseExceeded):
            ask("FOREVER", replace(LIMITS, cpu_seconds=3))

    parsing.read_page(ParsePage("ris", RIS))  # its process is there from now on
    slow = threading.Thread(target=read_for_ever)
    slow.start()
    try:
        parsing.read_page(ParsePage("ris", RIS))
        assert slow.is_alive()
    finally:
        slow.join()


def test_an_owner_that_stops_waits_for_nothing_that_is_being_read() -> None:
    """What was cut off is told as that, and not as a fault of what was read."""
    raised: list[BaseException] = []

    def read_for_ever() -> None:
        try:
            ask("FOREVER", replace(LIMITS, cpu_seconds=600, wall_seconds=600))
        except BaseException as error:
            raised.append(error)

    reading = threading.Thread(target=read_for_ever, daemon=True)
    reading.start()
    while not parsing._pages._busy:
        time.sleep(0.01)
    try:
        parsing.stop()
        reading.join(60)
        assert [type(error) for error in raised] == [Retry]
        with pytest.raises(Retry, match="the service is stopping"):
            parsing.read_page(ParsePage("ris", RIS))
    finally:
        parsing.resume()
    assert parsing.read_page(ParsePage("ris", RIS)).records


def test_pages_are_read_however_many_descriptors_are_open() -> None:
    """An owner with a thousand visitors has descriptors above 1,023, which `select` refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
    parsing.close()  # so that the pipes of the next process have high numbers
    try:
        page = parsing.read_page(ParsePage("ris", RIS))
    finally:
        for descriptor in opened:
            os.close(descriptor)
        parsing.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert len(page.records) == 1


def test_a_process_serves_on_however_large_its_owner_is() -> None:
    """Linux hands a process's peak of memory on to its children, even to those that run another
    program.
    """
    held = b"x" * (worker.KEPT_BYTES + 50_000_000)
    parsing.close()  # so that the next process comes from this large one
    pids = set()
    for _ in range(3):
        parsing.read_page(ParsePage("ris", RIS))
        pids.add(parsing._pages._idle[-1]._child.pid)

    assert len(held) > worker.KEPT_BYTES
    assert len(pids) == 1


def test_a_process_that_was_killed_comes_back() -> None:
    parsing.read_page(ParsePage("ris", RIS))
    (idle,) = parsing._pages._idle[-1:]
    idle._child.kill()
    idle._child.wait()

    assert parsing.read_page(ParsePage("ris", RIS)).records


def test_a_process_that_does_not_take_its_request_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "SEND_SECONDS", 0.05)
    parser = pool.Pool(1)
    try:
        idle, _ = parser._take()
        parser._give_back(idle, healthy=True)
        idle._child.send_signal(signal.SIGSTOP)
        request = ParsePage("ris", RIS + b"ZZ  - more than a pipe holds\n" * 10_000)
        # the next one is fresh, and as slow to begin for so short a time
        with pytest.raises(ParserFailed):
            parser.run(request, LIMITS)
        assert not idle.alive
        monkeypatch.undo()
        assert isinstance(parser.run(request, LIMITS), Page)
    finally:
        parser.close()


def test_a_pattern_of_the_protocol_that_never_ends_is_ended() -> None:
    links = b"".join(
        b"<li><a href='https://a.example/%d'>%s!</a></li>" % (n, b"a" * 60) for n in range(3)
    )
    body = b"<html><body><main><ul>" + links + b"</ul></main></body></html>"
    query = Query(filters=(("keep", "(a+)+$"),), url="https://a.example/")

    with pytest.raises(ParseExceeded, match="of computing"):
        parsing.read_page(ParsePage("page", body, None, query), replace(LIMITS, cpu_seconds=1))


def test_a_table_of_decisions_is_read_there_too() -> None:
    sheet = parsing.read_decisions(
        ReadTable(b"record,stage,reviewer,verdict\n10.1/x,title_abstract,a,include\n", "d.csv")
    )

    assert [(row.record, row.verdict) for row in sheet.rows] == [("10.1/x", "include")]
