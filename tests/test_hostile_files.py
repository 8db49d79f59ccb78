"""Pages, feeds and uploads that were made to stop the reader: read in a line, or refused with the
reason.
"""

from __future__ import annotations

import gzip
import io
import itertools
import resource
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests as http

from livereview import client, ops, parsing, review_toml, workbooks
from livereview.commands import Begin, ImportFile, Ingest, Register
from livereview.errors import Refused, SourceBroken
from livereview.exchange import decisions, sheets
from livereview.ops import protocols, surveil
from livereview.packed import is_archive, members, unpacked
from livereview.parsing import ParseExceeded, ParsePage, ReadTable
from livereview.settings import Settings
from livereview.sources import endnote, feed, oai, page
from livereview.sources.markup import MOST_ATTRIBUTES, refuse_crowded
from livereview.sources.text import abstract, plain
from livereview.store import searches
from livereview.store.open import Store
from tests import hostile
from tests.conftest import NOW, REVIEW
from tests.patterns import superlinear

ROOT = Path(__file__).resolve().parents[1]
FOREVER = "tests.test_parsing:FOREVER"


# Texts are cut before any pattern sees them.


@pytest.mark.parametrize(
    "pump", ["<p ", "<p", "<jats:p ", "<!--", "<![CDATA[", "&lt;p ", "&amp;", "&#", "<a b='", "< "]
)
def test_no_title_or_abstract_is_read_in_more_than_a_line(pump: str) -> None:
    for read in (plain, abstract):
        assert superlinear(read, lambda size: pump * (size // len(pump)), most=200_000) is None


def test_the_words_of_a_long_title_stay() -> None:
    formula = "<mml:math><mml:mi>x</mml:mi></mml:math>" * 100

    assert plain(f"{formula} Care and <b>outcomes</b>") == "x" * 100 + " Care and outcomes"


PROTOCOLS: dict[str, Callable[[int], str]] = {
    "a key of many parts": lambda size: "a" + ".a" * (size // 2) + " = 1",
    "a header of many parts": lambda size: f"[{'a.' * (size // 2)}a]",
    "many keys of as many parts as may be": lambda size: "".join(
        f"a{number}{'.a' * 40} = 1\n" for number in range(size // 90)
    ),
    "a list": lambda size: f"a = [{'[],' * (size // 3)}]",
    "a table in a line": lambda size: (
        "a = {" + ", ".join(f"k{number} = 1" for number in range(size // 9)) + "}"
    ),
    "many tables": lambda size: "[[a]]\n" * (size // 6),
}


@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_protocol_is_read_in_a_line_whatever_is_in_it(kind: str) -> None:
    def read(text: str) -> None:
        assert review_toml.mistakes(text)

    assert superlinear(read, PROTOCOLS[kind], most=200_000) is None


@pytest.mark.parametrize(
    "text",
    ["a = " + "9" * 5_000, "a = " + "[" * 5_000, "".join(f"[{'a.' * n}a]\n" for n in range(20))],
)
def test_a_protocol_that_python_can_not_hold_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(Refused, match=r"^review\.toml line \d+: "):
        review_toml.parse(text)
    assert review_toml.mistakes(text)


# Elements with thousands of attributes.


@pytest.mark.parametrize("count", [5_000, 20_000])
def test_thousands_of_attributes_are_refused_before_a_parser_sees_them(count: int) -> None:
    element = hostile.crowded(count)
    escaped = element.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    channel = element.replace("<i ", "<channel ").partition(">")[0] + ">"
    html = f"<html><body><main>{element}<a href='https://a.example/1'>A report</a></main></body></html>"
    bare = html.replace('="x"', "")

    for read, body in (
        (feed.parse, hostile.feed(element)),
        (feed.parse, hostile.feed(f"<![CDATA[{element}]]>")),
        (feed.parse, hostile.feed(escaped)),
        (feed.parse, hostile.feed("A title", channel)),
        (feed.parse, hostile.feed(element).decode().encode("utf-16")),
        (page.parse, html.encode()),
        (page.parse, bare.encode()),
        (oai.parse, f"<OAI-PMH><ListRecords>{element}</ListRecords></OAI-PMH>".encode()),
        (endnote.parse, f"<xml><records><record>{element}</record></records></xml>".encode()),
    ):
        with pytest.raises(SourceBroken, match=rf"{count:,} attributes.*at most {MOST_ATTRIBUTES}"):
            read(body, None)


@pytest.mark.parametrize(
    "before",
    [
        '<i a=">" ',
        "<i a='<' b = \">\" ",
        "<i a=it's b='>' ",
        '<!-- a=" --><i b=">" ',
        "<p a=b'><i c='>' ",
        '<b x="<i y=">" ',
    ],
)
@pytest.mark.parametrize("attribute", ['n{}="x" ', "n{}='>' ", "n{}=x ", "n{} "])
def test_a_bracket_within_a_value_ends_no_element(before: str, attribute: str) -> None:
    many = "".join(attribute.format(number) for number in range(3_000))
    with pytest.raises(SourceBroken, match="attributes"):
        refuse_crowded(f"<rss>{before}{many}>words</i></rss>".encode(), "feed")


def test_usual_markup_and_long_texts_are_no_crowd() -> None:
    few = hostile.crowded(MOST_ATTRIBUTES)
    words = "the risk of care leavers was < that of others " * 300
    meta = f'<meta name="description" content="{words.replace("<", "below")}">'

    for text in (
        few,
        words,
        f"p &lt;b {words}",
        meta,
        "a = b " * 5_000,
        "<a title='it is' b=\"what it's\">" * 2_000,
    ):
        refuse_crowded(text.encode(), "feed")


def test_the_look_at_attributes_takes_a_line_itself() -> None:
    def look(body: bytes) -> None:
        with suppress(SourceBroken):
            refuse_crowded(body, "feed")

    for pump in (
        "<a ",
        "<a b=",
        "<a '",
        "&lt;i ",
        "&quot;",
        ' a="x"',
        "<a b='x' ",
        '<a " b="',
        "<a b=\"<a b='",
    ):

        def body(size: int, pump: str = pump) -> bytes:
            return (pump * (size // len(pump))).encode()

        assert superlinear(look, body, most=100_000) is None


# Excel files.


def test_a_table_of_texts_is_refused_while_it_is_unpacked() -> None:
    body = hostile.repacked(hostile.workbook(), {hostile.SHARED: hostile.texts(180)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(Refused, match="unpacks to more than"):
        decisions.read(body, "a.xlsx")

    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 100_000_000


def _zeros(count: int) -> Iterator[bytes]:
    return itertools.repeat(b"\0" * 1_000_000, count)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"xl/worksheets/sheet1.xml": _zeros(200)}, "more than"),
        ({"xl/styles.xml": _zeros(6)}, "'xl/styles.xml' unpacks to more than 5 MB"),
        ({f"xl/worksheets/sheet{n}.xml": b"<x/>" for n in range(2, 1_100)}, "holds 1,1.. files"),
        (
            {"xl/worksheets/sheet1.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"},
            "declares entities",
        ),
    ],
)
def test_a_workbook_that_nobody_can_have_made_is_refused(
    parts: dict[str, bytes], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        decisions.read(hostile.repacked(hostile.workbook(), parts), "a.xlsx")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_unpacks_a_block_at_a_time_is_refused(method: int) -> None:
    body = hostile.repacked(hostile.workbook(), {"xl/worksheets/sheet1.xml": _zeros(50)}, method)

    with pytest.raises(Refused, match="packed in a way"):
        decisions.read(body, "a.xlsx")


@pytest.mark.parametrize("said", [0, 10, 4_000_000_000])
def test_headers_that_lie_about_sizes_are_not_believed(said: int) -> None:
    body = bytearray(
        hostile.repacked(hostile.workbook(), {"xl/worksheets/sheet1.xml": _zeros(200)})
    )
    at = body.rfind(b"PK\x01\x02")
    body[at + 24 : at + 28] = struct.pack("<I", said)

    with pytest.raises(Refused, match=r"not a whole Excel file|unpacks to more than"):
        decisions.read(bytes(body), "a.xlsx")


def test_huge_dimensions_are_refused() -> None:
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    plain_sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    sheet = (
        plain_sheet
        + b'<dimension ref="A1:XFD1048576"/><sheetData>'
        + far
        + b"</sheetData></worksheet>"
    )

    with pytest.raises(Refused):
        decisions.read(
            hostile.repacked(hostile.workbook(), {"xl/worksheets/sheet1.xml": sheet}), "a.xlsx"
        )


def test_an_ordinary_workbook_is_read() -> None:
    rows = [["title", "decision"], *([f"A trial of care {n}", "include"] for n in range(2_000))]

    assert len(decisions.read(hostile.workbook(*rows), "a.xlsx").rows) == 2_000
    assert workbooks.UNSUSPICIOUS < workbooks.LARGEST_TEXTS < workbooks.LARGEST


def test_a_table_with_many_columns_or_repeated_tags_is_read_in_a_line() -> None:
    with pytest.raises(Refused, match=f"more than {sheets.WIDEST} columns"):
        sheets.read(("a," * 1_000 + "\n").encode() * 2, "a.csv")

    def notes(size: int) -> bytes:
        return b"TY  - JOUR\n" + b"N1  - some words\n" * (size // 17) + b"ER  - \n"

    assert superlinear(lambda body: sheets.read(body, "a.ris"), notes, most=100_000) is None


# Packed files.


def test_a_packed_file_is_unpacked_no_further_than_a_real_one_goes() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)

    with pytest.raises(Refused, match=r"a.ris.gz unpacks to more than 20 MB from"):
        unpacked(bomb, "a.ris.gz")
    with pytest.raises(Refused, match="more than 20,000 parts"):
        unpacked(gzip.compress(b"") * 20_001, "a.ris.gz")
    with pytest.raises(Refused, match="copied whole"):
        unpacked(gzip.compress(b"words " * 100_000)[:-4], "a.ris.gz")
    assert (
        unpacked(gzip.compress(b"TY  - ") + gzip.compress(b"JOUR") + b"\0\0", "a.ris.gz")
        == b"TY  - JOUR"
    )
    assert unpacked(b"TY  - JOUR", "a.ris") == b"TY  - JOUR"


def _zip(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def test_an_archive_is_unpacked_by_its_files_and_no_further_than_real_exports() -> None:
    parts = {"a/../b.csv": b"title\nA\n", "__MACOSX/._b.csv": b"x", ".hidden": b"x", "c.ris": b"TY"}
    body = _zip(parts)
    assert is_archive(body)
    read = [(part.name, part.body) for part in members(body, "x.zip")]
    assert read == [("b.csv", b"title\nA\n"), ("c.ris", b"TY")]
    assert not is_archive(hostile.workbook()) and not is_archive(b"TY  - JOUR")

    refused = {
        "unpacks to more than 20 MB": _zip({"a.csv": b"\0" * 30_000_000}),
        "holds no file": _zip({".hidden": b"x"}),
        "at most 200 are read": _zip({f"{number}.csv": b"x" for number in range(201)}),
        "copied whole": body[:-30],
    }
    two = _zip({f"{number}.csv": b"\0" * 12_000_000 for number in range(2)})
    for words, archive in (*refused.items(), ("unpacks to more than 20 MB", two)):
        with pytest.raises(Refused, match=words):
            members(archive, "x.zip")


# What exceeds the limits is a reject with its bytes, and the night goes on.


def _protocol(text: str) -> str:
    head, _, rest = text.partition("[[searches]]")
    search = f'[[searches]]\nname = "theirs"\nsource = "{FOREVER}"\nplatform = "Theirs"\nquery = "care"\n\n'
    return f"{head}{search}[[searches]]{rest}"


def test_a_page_that_takes_too_long_is_a_reject_with_its_bytes(
    store: Store, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing.requests, "CPU_SECONDS", 0.5)
    surveil.register(store, text=_protocol(protocol), now=NOW)
    surveil.begin(store, review=REVIEW, name="theirs", search="s", now=NOW)

    answer = surveil.ingest(store, search="s", body=b"a page for ever", now=NOW)
    ending = surveil.finish(store, search="s", now=NOW)

    assert (answer["found"], answer["rejected"]) == (0, 1)
    assert "took more than" in answer["problem"]
    assert (ending["outcome"], ending["rejected"]) == ("failed", 1)
    with store.read() as con:
        (reject,) = searches.rejects(con, REVIEW, 10)
        assert searches.body(con, reject.sha256) == b"a page for ever"
    assert "s of computing" in reject.reason


def test_a_page_that_takes_too_long_after_others_makes_its_search_partial(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reviewed.read() as con:
        name = protocols.protocol(con, REVIEW).searches[0].name
    surveil.begin(reviewed, review=REVIEW, name=name, search="s", now=NOW)
    surveil.ingest(
        reviewed,
        search="s",
        body=b'{"meta": {"count": 1}, "results": [{"id": "W1", "title": "A"}]}',
        now=NOW,
    )
    monkeypatch.setattr(parsing.requests, "RESULT_BYTES", 1)
    monkeypatch.setattr(parsing.requests, "RESULT_PER_BYTE", 0)
    surveil.ingest(reviewed, search="s", body=b'{"meta": {"count": 1}, "results": []}', now=NOW)

    assert surveil.finish(reviewed, search="s", now=NOW)["outcome"] == "partial"


def test_an_import_that_takes_too_long_is_kept_and_told(
    store: Store, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing.requests, "CPU_SECONDS", 0.5)
    surveil.register(store, text=protocol, now=NOW)

    answer = ops.surveil.import_file(
        store, review=REVIEW, source=FOREVER, name="a.ris", body=b"a file", now=NOW
    )

    assert (answer["outcome"], answer["rejected"]) == ("failed", 1)


# The owner answers throughout.


class Watch:
    """Asks /healthz again and again; `longest` is the longest wait in seconds, `answers` how many
    came.
    """

    def __init__(self, url: str):
        self.url, self.stop = url, threading.Event()
        self.answers = 0
        self.failures: list[str] = []
        self.thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        with http.Session() as session:
            while not self.stop.wait(0.02):
                try:
                    session.get(f"{self.url}/healthz", timeout=20).raise_for_status()
                    self.answers += 1
                except http.RequestException as error:
                    self.failures.append(str(error))

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


@pytest.fixture
def owner(settings: Settings) -> Iterator[client.Remote]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile_owner", str(settings.home), "4"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if b"answers at" in line:
                break
        url = line.decode().split()[3]
        remote = client.Remote(url, client.token(settings))
        yield remote
        remote.close()
    finally:
        process.terminate()
        process.communicate()


def test_the_owner_answers_while_hostile_pages_and_files_are_read(
    owner: client.Remote, protocol: str
) -> None:
    owner.run(Register(text=_protocol(protocol), now=NOW))
    owner.run(Begin(review=REVIEW, name="theirs", search="s", now=NOW))
    title = ("TY  - JOUR\nTI  - " + "<p " * 60_000 + "\nER  - \n").encode()

    with Watch(owner.url) as watch:
        answer = owner.run(Ingest(search="s", body=b"a page for ever", now=NOW))
        during = watch.answers
        owner.run(ImportFile(review=REVIEW, source="ris", name="a.ris", body=title, now=NOW))

    assert "took more than" in (answer.problem or "")
    assert watch.failures == []
    assert during > 20, (
        "the page took four seconds of another process, in which the owner answered every time"
    )


def test_a_bad_workbook_ends_its_own_process_only() -> None:
    body = hostile.repacked(hostile.workbook(), {hostile.SHARED: hostile.texts(180)})

    with pytest.raises(Refused, match="unpacks to more than"):
        parsing.read_decisions(ReadTable(body, "a.xlsx"))
    with pytest.raises(ParseExceeded, match=r"a\.xlsx"):
        small = parsing.Limits(cpu_seconds=60, wall_seconds=60, memory_bytes=10**9, result_bytes=1)
        parsing.read_decisions(ReadTable(hostile.workbook(), "a.xlsx"), small)
    assert parsing.read_page(ParsePage("ris", b"TY  - JOUR\nTI  - A\nER  - \n")).total == 1
