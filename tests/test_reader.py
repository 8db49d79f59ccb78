"""PDFs beside records and forms: quotes in their places, pages as text without scripts, and who may
see which.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from livereview import ops
from livereview.commands import Publish
from livereview.errors import Refused
from livereview.evidence.places import Looked, Standing
from livereview.ops import file_states
from livereview.parsing import pdf, safe_pdf
from livereview.settings import Settings
from livereview.store import quote_places
from livereview.store.open import Store
from livereview.web import public, reader
from scripts import vendor_pdfjs
from tests import pdfs
from tests.conftest import NOW, REVIEW, Browser, Forms, article, found
from tests.test_ops import form, include
from tests.test_quote_places import BASE, LINES, TRUE, attach

People = Callable[..., Browser]
BODY = pdfs.pdf(["A first page with nothing of it"], LINES)
SHA = hashlib.sha256(BODY).hexdigest()
FILE = f"/r/{REVIEW}/full-text/{SHA}"
SCRIPTS = (
    b"/OpenAction<</S/J#61vaScript/JS(app.alert\\(1\\))>>",
    b"/OpenAction<</S/Launch/F(calc.exe)>>",
    b"/AA<</WC 6 0 R>>",
    b"/Names<</JavaScript<</Names[(a) 6 0 R]>>/EmbeddedFiles<</Names[(x)<</EF<</F 7 0 R>>>>]>>>>",
    b"/AcroForm<</Fields[<</A<</S/SubmitForm/F(https://example.org)>>>>]/XFA 7 0 R>>",
    b"/Outlines<</First<</Title(x)/A[[<</Next<</S/Launch/F(calc.exe)>>>>]]>>>>",
)
VENDORED = public.STATIC / "pdfjs"


@pytest.fixture
def included(reviewed: Store, settings: Settings) -> str:
    """A report with a file that holds TRUE on its second page."""
    record = found(reviewed, article(1))[0]
    include(reviewed, record)
    attach(reviewed, settings, record, BODY, "paper.pdf")
    return record


def extract(store: Store, settings: Settings, person: str, quote: str) -> None:
    finding = {"dimension": "implementation", "text": "They felt heard.", "quote": quote}
    ops.evidence.extract(
        store,
        id=f"{person}-1",
        review=REVIEW,
        data=form(findings=[finding]),
        extractor=person,
        now=NOW,
    )
    ops.quotes.look_up(store, settings.full_texts, review=REVIEW, now=NOW)


def facts(page: str) -> dict[str, Any]:
    """What a page hands to the script of its reader."""
    match = re.search(r'data-facts="([^"]*)"', page)
    assert match
    return dict(json.loads(html.unescape(match[1])))


def test_the_viewer_that_we_did_not_write_is_the_published_one() -> None:
    listed = (VENDORED / vendor_pdfjs.SUMS).read_text(encoding="utf-8").splitlines()
    digests = dict(reversed(line.split("  ", 1)) for line in listed if line[0] != "#")
    there = {
        path.relative_to(VENDORED).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.rglob("*")
        if path.is_file() and path.name != vendor_pdfjs.SUMS
    }

    assert there == digests
    assert vendor_pdfjs.VERSION in listed[0]
    viewer = (VENDORED / "pdf_viewer.mjs").read_text(encoding="utf-8")
    assert f'const viewerVersion = "{vendor_pdfjs.VERSION}"' in viewer
    assert not list(VENDORED.rglob("*sandbox*"))
    assert set(vendor_pdfjs.FILES.values()) <= set(there)


def test_a_page_of_a_file_is_text_in_three_parts() -> None:
    text = pdf.read(BODY)
    start = text.text.index("felt heard")

    page = reader.plain_page(text, 2, (start, start + 10))
    assert page is not None
    assert (page.number, page.pages, page.marked) == (2, 2, "felt heard")
    assert page.before.endswith("that they\n")
    whole = reader.plain_page(text, 2)
    assert whole is not None
    assert whole.before == page.before + page.marked + page.after
    on_another_page = reader.plain_page(text, 1, (start, start + 10))
    assert on_another_page is not None
    assert on_another_page.marked == ""
    assert [reader.plain_page(text, number) for number in (0, 3)] == [None, None]


def test_a_quote_is_marked_once_and_only_where_it_was_found() -> None:
    looked = Looked("heard", "f" * 64, 2, boxes="[[2, 1.0, 2.0, 3.0, 4.0]]")
    missing = Looked("lost", "f" * 64, None, reason="it is not there")
    quoted = {
        "heard": Standing("heard", "in its place", looked),
        "lost": Standing("lost", "not in the file", missing),
    }
    forms = [
        {"findings": [{"quote": "lost"}, {"quote": "heard"}], "results": [{"source_quote": "new"}]},
        {"findings": [{"quote": "heard"}]},
    ]

    [mark] = reader.marks(forms, quoted)
    assert (mark.label, mark.page, mark.boxes) == ("Findings 2", 2, ((2, 1.0, 2.0, 3.0, 4.0),))


def test_a_file_is_read_without_scripts_and_a_quote_is_a_link_to_its_words(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    extract(reviewed, settings, "ada", TRUE)
    ada = browser("ada")
    page = ada.get(f"{BASE}/doe-2020")
    link = re.search(r'<a href="([^"]+)" data-place="[^"]+">Found on page 2 of the file</a>', page)
    assert link

    page = ada.get(html.unescape(link[1]))
    assert "The words of page 2 of 2" in page
    marked = re.search(r"<mark>(.*?)</mark>", page, re.DOTALL)
    assert marked and " ".join(marked[1].split()) == TRUE
    start = facts(page)["start"]
    assert start["page"] == 2 and [box[0] for box in start["boxes"]] == [2, 2]
    assert 'href="?page=1#words"' in page
    assert "A first page with nothing of it" in ada.get(f"{FILE}/view")
    assert "There is no such page" in ada.get(f"{FILE}/view?page=9&at=x")
    for address in (f"/r/{REVIEW}/records/{included}", f"/r/{REVIEW}/screen/full_text"):
        assert ("data-facts" in ada.get(address)) is False  # nothing waits; the record has links
    assert f'href="{FILE}/view"' in ada.get(f"/r/{REVIEW}/records/{included}")


def test_a_quote_that_is_being_typed_is_looked_for(
    reviewed: Store, included: str, browser: People
) -> None:
    ada = browser("ada")
    there = ada.http.get(f"{FILE}/find", params={"quote": TRUE}).json()
    assert (there["words"], there["page"], len(there["boxes"])) == (
        "Found on page 2 of the file",
        2,
        2,
    )
    changed = TRUE.replace("felt heard", "did not feel heard")
    missing = ada.http.get(f"{FILE}/find", params={"quote": changed}).json()
    assert missing["page"] is None and missing["words"].startswith("Not found in the file")
    cut = ada.http.get(f"{FILE}/find", params={"quote": "heard in the meetings. Staff lef"})
    assert "inside a word" in cut.json()["caution"]

    assert ada.http.get(f"{FILE}/find", params={"quote": "x" * 5_001}).status_code == 422
    other = FILE.replace(SHA, "0" * 64)
    answers = [ada.http.get(f"{other}/{way}?quote=x").status_code for way in ("find", "view")]
    assert answers == [404, 404]


def test_a_file_with_no_words_says_why(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    scan = pdfs.pdf([], [])
    attach(reviewed, settings, included, scan, "scan.pdf")
    sha256 = hashlib.sha256(scan).hexdigest()
    ada = browser("ada")
    address = f"/r/{REVIEW}/full-text/{sha256}/view"
    assert 'href="?words=yes#words"' in ada.get(address)
    page = ada.get(f"{address}?words=yes")
    assert page == ada.get(address)
    assert "Its words can’t be shown: it holds no text: a scan, perhaps" in page


def test_who_does_not_see_a_form_sees_none_of_its_quotes_in_the_file(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    extract(reviewed, settings, "ada", TRUE)
    with reviewed.read() as con:
        in_force = ops.quotes.in_force(con, REVIEW)
    assert [standing.quote for standing in in_force["doe-2020"]] == [TRUE]

    bo, dee = browser("bo"), browser("dee", "adjudicator")
    [mark] = facts(bo.get(f"{FILE}/view"))["marks"]
    assert (mark["label"], mark["quote"]) == ("doe-2020", TRUE)
    assert facts(dee.get(f"{FILE}/view"))["marks"] == []


def test_a_copy_is_the_same_pages_without_what_may_run_in_them(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    script = pdfs.pdf(["A first page"], LINES, catalog=SCRIPTS[0])
    attach(reviewed, settings, included, script, "script.pdf")
    address = f"/r/{REVIEW}/full-text/{hashlib.sha256(script).hexdigest()}"
    ada = browser("ada")

    whole = ada.http.get(f"{address}/copy")
    assert pdf.active(script) == ("scripts",)
    assert pdf.active(whole.content) == ()
    assert [page.text for page in pdf.read(whole.content).pages] == [
        page.text for page in pdf.read(script).pages
    ]
    assert whole.headers["content-disposition"].startswith("inline")
    assert "script-src" not in whole.headers["content-security-policy"]
    part = ada.http.get(f"{address}/copy", headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, whole.content[5:15])
    assert facts(ada.get(f"{address}/view"))["files"][0]["bytes"] == f"{address}/copy"
    assert ada.http.get(address).content == script


@pytest.mark.parametrize("catalog", SCRIPTS)
def test_whatever_may_run_in_a_file_is_taken_out(catalog: bytes) -> None:
    action = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
    body = pdfs.pdf(LINES, catalog=catalog, objects=[action, b"<</Type/EmbeddedFile>>"])

    safe = safe_pdf.copy(body)
    assert safe is not None
    assert pdf.active(safe) == ()
    for name in (b"Launch", b"SubmitForm", b"JavaScript", b"/XFA", b"calc.exe"):
        assert name not in safe


def test_links_and_an_outline_stay_in_a_copy() -> None:
    link = b"/Outlines<</First<</Title(Methods)/A<</S/URI/URI(https://example.org)>>>>>>"
    safe = safe_pdf.copy(pdfs.pdf(LINES, catalog=link))
    assert safe is not None
    assert b"https://example.org" in safe and b"Methods" in safe


@pytest.mark.parametrize("body", [pdfs.encrypted(), b"%PDF-1.7\n%%EOF", b""])
def test_of_a_file_with_a_password_or_a_damaged_one_there_is_no_copy(body: bytes) -> None:
    assert safe_pdf.copy(body) is None


def test_a_file_without_a_copy_says_so_each_time(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    attach(reviewed, settings, included, pdfs.encrypted(), "locked.pdf")
    address = f"/r/{REVIEW}/full-text/{hashlib.sha256(pdfs.encrypted()).hexdigest()}/copy"
    ada = browser("ada")
    for _ in range(2):
        answer = ada.http.get(address)
        assert answer.status_code == 422
        assert "it opens with a password only" in answer.text


def standings(store: Store) -> dict[str, tuple[str, str | None]]:
    """The state and the file of each quote in force."""
    with store.read() as con:
        [in_force] = ops.quotes.in_force(con, REVIEW).values()
    return {
        standing.quote: (standing.state, standing.looked and standing.looked.sha256)
        for standing in in_force
    }


def test_a_quote_is_looked_for_in_the_file_that_takes_the_place_of_another(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    extract(reviewed, settings, "ada", TRUE)
    newer = pdfs.pdf(["Most families said that they did not feel heard."])
    address = f"/r/{REVIEW}/records/{included}"
    ada = browser("ada")
    ada.get(address)
    form = next(form for form in Forms(ada.page.text).all if "kind" in form["fields"])["fields"]
    shared = {"csrf": form["csrf"], "record": included, "back": "record"}
    sent = {**shared, "form": "b" * 32, "kind": "correction", "replaces": SHA}
    file = {"file": ("newer.pdf", newer, "application/pdf")}
    assert ada.http.post(f"/r/{REVIEW}/full-text", data=sent, files=file).status_code == 200

    assert standings(reviewed)[TRUE] == ("not in the file", hashlib.sha256(newer).hexdigest())
    page = ada.get(address)
    assert "replaced by <bdi>newer.pdf</bdi>" in page and "Correction, ada" in page
    assert "put another file in the place of paper.pdf" in page
    [shown] = facts(ada.get(f"{BASE}/doe-2020"))["files"]
    assert shown["name"] == "newer.pdf"
    assert "A quote to look at" in ada.get(BASE)

    again = {**shared, "form": "c" * 32, "state": "used"}
    ada.http.post(FILE, data=again)
    assert standings(reviewed)[TRUE] == ("in its place", SHA)
    without_reason = ada.http.post(FILE, data={**shared, "form": "d" * 32, "state": "removed"})
    assert without_reason.status_code == 422 and "say why" in without_reason.text
    gone = {**shared, "form": "e" * 32, "state": "removed", "reason": "another study"}
    ada.http.post(FILE, data=gone)
    assert standings(reviewed)[TRUE][0] == "not in the file"
    assert "another study" in ada.get(address)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"kind": "poem"}, "kind must be one of article"),
        ({"state": "lost"}, "state must be one of used"),
        ({"state": "replaced"}, "name both, or neither"),
        ({"state": "replaced", "replaced_by": SHA}, "another file of the same report"),
        ({"sha256": "0" * 64}, "no such full text"),
    ],
)
def test_a_word_on_a_file_that_can_not_hold_is_refused(
    reviewed: Store, included: str, said: dict[str, str], why: str
) -> None:
    asked = {"sha256": SHA, **said}
    with pytest.raises(Refused, match=why):
        file_states.say(reviewed, id="w", review=REVIEW, author="ada", now=NOW, **asked)


def test_quotes_that_an_older_rule_looked_up_are_looked_up_again_before_a_night_publishes(
    reviewed: Store, included: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quote_places, "FINDER", 1)
    extract(reviewed, settings, "ada", TRUE)
    monkeypatch.undo()
    assert standings(reviewed)[TRUE][0] == "not looked up"

    ops.run(reviewed, settings.site, Publish(review=REVIEW, now=NOW))
    assert standings(reviewed)[TRUE] == ("in its place", SHA)
