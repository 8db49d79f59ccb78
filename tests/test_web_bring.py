"""Records are brought as files in the browser: looked through first, then taken in."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from livereview.ops import brought
from livereview.packed import Packed
from livereview.settings import Settings
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_web_protocol import send

FILES = f"/r/{REVIEW}/files"
RIS = b"""TY  - JOUR
TI  - A trial of mentoring for care leavers
AU  - Doe, Jane
PY  - 2021
DO  - 10.1000/mentoring
ER  -

TY  - JOUR
TI  - Trial 1 of mentoring
AU  - Doe, Jane
PY  - 2020
DO  - 10.1000/trial1
ER  -
"""
TABLE = b"Primary;Who;When\nKinship care and schooling;Roe, Richard;2019\n"


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, body in files.items():
            packed.writestr(name, body)
    return out.getvalue()


def bring(lead: Browser, *files: tuple[str, bytes]) -> str:
    lead.get(FILES)
    action, filled = lead.form("Look through them")
    del filled["files"]
    sent = [("files", file) for file in files]
    lead.page = lead.http.post(action, data=filled, files=sent)
    return lead.page.text


def wait(lead: Browser) -> str:
    for _ in range(300):
        page = lead.get(str(lead.page.url))
        if "Being taken in" not in page:
            return page
        time.sleep(0.1)
    raise AssertionError("the files were never taken in")


def test_files_are_looked_through_and_taken_in(
    browser: Callable[..., Browser], reviewed: Store
) -> None:
    found(reviewed, article(1))
    lead = browser("lena", "lead")
    page = bring(
        lead, ("two.ris", RIS), ("all.zip", archive(table=TABLE)), ("notes.txt", b"just words")
    )
    assert "two.ris" in page and "all.zip: table" in page
    assert "<dt>new to this review</dt><dd>1</dd>" in page
    assert "<dt>there already</dt><dd>1</dd>" in page
    assert page.count("not read</span>") == 2  # the table's columns, and what is no export
    assert "its headings are Primary, Who, When" in page and "--columns" not in page
    with reviewed.read() as con:
        before = con.execute("SELECT count(*) FROM record").fetchall()

    # columns are named, and the table is read
    named = {"column.1.title": "Primary", "column.1.authors": "Who", "column.1.year": "When"}
    page = send(lead, "Read it so", act="columns.1", **named)
    assert "Kinship care and schooling" in page and 'value="Primary"' in page
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM record").fetchall() == before

    send(lead, "Take in what is ticked")
    page = wait(lead)
    assert page.count("taken in</span>") == 2 and "2 found, 2 new" in page
    assert "Kinship care" in lead.get(f"/r/{REVIEW}/records")
    assert "import: two.ris" in lead.get(f"/r/{REVIEW}/searches")

    # the same again changes nothing
    bring(lead, ("again.ris", RIS))
    assert "<dt>new to this review</dt><dd>0</dd>" in lead.page.text
    send(lead, "Take in what is ticked")
    assert "It was taken in before" in wait(lead)


def test_what_is_wrong_is_said_and_nobody_elses_import_is_seen(
    browser: Callable[..., Browser],
) -> None:
    lead = browser("lena", "lead")
    assert "holds no file" in bring(lead, ("hidden.zip", archive(**{".hidden": b"x"})))
    rejected = RIS + b"\nTY  - JOUR\nAU  - Nobody\nER  -\n"
    page = bring(lead, ("../../three.ris", rejected))
    assert "three.ris" in page and ".." not in page.split("<main")[1]
    place = str(lead.page.url)
    if "no record, left out" in page:
        table = lead.http.get(f"{place}/rejects/0")
        assert table.text.startswith("where,why,begins with")
    assert lead.http.get(f"{place}/rejects/9").status_code == 404
    form = dict.fromkeys(("take.0",), "")
    assert "tick a file first" in send(lead, "Take in what is ticked", **form)
    assert "no field" in send(lead, "Take in what is ticked", act="columns.7") or (
        "no such file" in lead.page.text
    )
    other = browser("omar", "lead")
    assert other.http.get(place).status_code == 404
    lead.get(place)
    send(lead, "Give it up")
    assert lead.http.get(place).status_code == 404
    assert lead.http.get(f"/r/{REVIEW}/bring/..%2f..").status_code == 404


def test_what_waits_a_day_is_gone_and_what_stopped_goes_on(
    reviewed: Store, settings: Settings, browser: Callable[..., Browser], app: FastAPI
) -> None:
    home: Path = settings.home
    asked = {"review": REVIEW, "person": "lena", "files": [Packed("two.ris", RIS)]}
    first = brought.bring(reviewed, home, id="a" * 32, now=NOW, **asked)  # type: ignore[arg-type]
    assert brought.bring(reviewed, home, id="a" * 32, now=NOW, **asked) == first  # type: ignore[arg-type]
    later = NOW + timedelta(days=1, seconds=1)
    second = brought.bring(reviewed, home, id="b" * 32, now=later, **asked)  # type: ignore[arg-type]
    assert not (home / "brought" / ("a" * 32)).exists()

    # the server stopped while a file was being taken in
    brought.ask(home, second, [0])
    lead = browser("lena", "lead")
    page = lead.get(f"/r/{REVIEW}/bring/{'b' * 32}")
    assert "It stopped on the way" in page
    send(lead, "Go on")
    assert "taken in</span>" in wait(lead)
