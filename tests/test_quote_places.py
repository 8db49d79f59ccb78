"""Quotes are looked up in the full texts of their study, and everywhere it is said what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from livereview import ops
from livereview.commands import Extract
from livereview.errors import Refused
from livereview.evidence import checks, forms, places
from livereview.evidence.places import Looked
from livereview.ops.snapshot import snapshot
from livereview.settings import Settings
from livereview.store import quote_places
from livereview.store.open import Store
from livereview.summary import trace
from tests import pdfs
from tests.conftest import NOW, REVIEW, Browser, Forms, article, found
from tests.test_ops import form, include

People = Callable[..., Browser]
BASE = f"/r/{REVIEW}/evidence"
TRUE = "Most families said that they felt heard in the meetings."
FALSE = "Most families said that they did not feel heard in the meetings."
LINES = ["Most families said that they", "felt heard in the meetings. Staff left after", "a year."]


@pytest.fixture
def included(reviewed: Store) -> str:
    record = found(reviewed, article(1))[0]
    include(reviewed, record)
    return record


def attach(store: Store, settings: Settings, record: str, body: bytes, name: str) -> None:
    ops.full_text.attach(
        store,
        settings.full_texts,
        id=f"file-{name}",
        review=REVIEW,
        record=record,
        name=name,
        body=body,
        author="ada",
        now=NOW,
    )
    ops.quotes.look_up(store, settings.full_texts, review=REVIEW, now=NOW)


def states(store: Store) -> dict[str, str]:
    with store.read() as con:
        known = ops.quotes.in_force(con, REVIEW)
    return {standing.quote: standing.state for some in known.values() for standing in some}


def test_a_quote_is_looked_up_when_its_form_is_saved_and_when_a_file_arrives(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    ada = browser("ada")
    ada.get(f"{BASE}/new?report={included}")
    typed = {
        "study": "doe-2020",
        "label": "Doe 2020",
        "findings-0-dimension": "implementation",
        "findings-0-text": "Families felt heard.",
        "findings-0-quote": TRUE,
        "findings-1-dimension": "implementation",
        "findings-1-text": "They did not.",
        "findings-1-quote": FALSE,
    }
    ada.press("Save", **typed)
    assert states(reviewed) == {TRUE: "no file yet", FALSE: "no file yet"}
    assert ada.get(f"{BASE}/doe-2020").count("the study has no full text yet") == 2

    upload = next(f for f in Forms(ada.page.text).all if "form" in f["fields"])["fields"]
    fields = {"csrf": upload["csrf"], "form": upload["form"], "record": included, "back": "list"}
    body = pdfs.pdf(["A first page with nothing of it"], LINES)
    sent = ada.http.post(
        f"/r/{REVIEW}/full-text",
        data=fields,
        files={"file": ("paper.pdf", body, "application/pdf")},
    )
    assert sent.status_code in (200, 303)

    assert states(reviewed) == {TRUE: "in its place", FALSE: "not in the file"}
    page = ada.get(f"{BASE}/doe-2020")
    assert "Found on page 2 of the file" in page
    assert "Not found in the file" in page
    assert "Staff left after" in page  # the text around it
    assert "Careful" not in page
    ada.press("Save", **{"findings-0-quote": "felt heard in the meetings. Staff lef"})
    page = ada.get(f"{BASE}/doe-2020")
    assert "Careful: it begins or ends inside a word of the file." in page
    ada.press("Save", **{"findings-0-quote": TRUE})
    page = ada.get(BASE)
    assert page.count("A quote to look at") == 1
    assert "did not feel heard" in page

    with reviewed.read() as con:
        now = snapshot(con, REVIEW, [])
    (study,) = now.studies
    told = trace._study(now, study).quotes
    assert [(quote.state, quote.page) for quote in told] == [
        ("in its place", 2),
        ("not in the file", None),
    ]


def test_a_place_keeps_the_page_the_boxes_and_the_text_around(
    reviewed: Store, included: str, settings: Settings
) -> None:
    data = form() | {"findings": [_finding(TRUE)]}
    answer = ops.run(reviewed, settings.site, Extract(**_extract("e1", data), now=NOW))
    attach(reviewed, settings, included, pdfs.pdf(LINES), "paper.pdf")

    with reviewed.read() as con:
        standing = ops.quotes.in_force(con, REVIEW)[answer.study][0]
        seen = ops.quotes.standings_of(con, REVIEW, answer.study, [data])
    looked = standing.looked
    assert seen == {TRUE: standing}
    assert looked is not None
    assert (looked.page, looked.before) == (1, "")
    assert (looked.after or "").startswith(" Staff left after")
    boxes = json.loads(looked.boxes or "")
    assert [page for page, *_ in boxes] == [1, 1]

    assert ops.quotes.look_up(reviewed, settings.full_texts, review=REVIEW, now=NOW) == 0


def test_a_later_file_is_looked_in_too_and_a_form_from_elsewhere_as_well(
    reviewed: Store, included: str, settings: Settings
) -> None:
    attach(reviewed, settings, included, pdfs.pdf([]), "scan.pdf")
    data = form() | {"findings": [_finding(TRUE)]}
    ops.run(reviewed, settings.site, Extract(**_extract("e1", data), now=NOW))
    with reviewed.read() as con:
        [missing] = ops.quotes.not_in_files(con, REVIEW).values()
    assert "a scan, perhaps" in missing[0].words

    attach(reviewed, settings, included, pdfs.pdf(LINES), "paper.pdf")
    assert states(reviewed) == {TRUE: "in its place"}

    path = ops.full_text.path(settings.full_texts, missing[0].looked.sha256)  # type: ignore[union-attr]
    path.unlink()
    assert ops.quotes.look_up(reviewed, settings.full_texts, review=REVIEW, now=NOW) == 0
    assert states(reviewed) == {TRUE: "in its place"}


def test_a_quote_that_went_with_a_replaced_file_is_a_task_until_it_is_found_or_mended(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    data = form() | {"findings": [_finding(TRUE)]}
    study = ops.run(reviewed, settings.site, Extract(**_extract("e1", data), now=NOW)).study
    attach(reviewed, settings, included, pdfs.pdf(LINES), "preprint.pdf")

    later = pdfs.pdf(["Other words altogether."])
    first, second = (hashlib.sha256(body).hexdigest() for body in (pdfs.pdf(LINES), later))

    def use(id: str, state: str, replaced_by: str = "") -> None:
        word = {"sha256": first, "kind": "article", "state": state, "replaced_by": replaced_by}
        ops.file_states.say(
            reviewed, id=id, review=REVIEW, reason="", author="ada", now=NOW, **word
        )
        ops.quotes.look_up(reviewed, settings.full_texts, review=REVIEW, now=NOW)

    def waiting() -> list[str]:
        with reviewed.read() as con:
            return [task["title"] for task in ops.tasks.open_tasks(con, [REVIEW])[REVIEW]]

    assert waiting() == []
    attach(reviewed, settings, included, later, "article.pdf")
    assert waiting() == [], "the first file still has it"
    use("w1", "replaced", second)
    assert waiting() == [f"“{TRUE}”"]
    page = browser("lena", "lead").get(f"/r/{REVIEW}")
    assert f'href="{BASE}/{study}">the form of {study}</a>' in page
    with reviewed.read() as con:
        (task,) = ops.tasks.open_tasks(con, [REVIEW])[REVIEW]
    asked = {"review": REVIEW, "task": task["id"], "by": "lena", "now": NOW}
    with pytest.raises(Refused, match="closes by itself"):
        ops.tasks.settle_task(reviewed, outcome="noted", **asked)

    use("w2", "used")
    assert waiting() == []


def test_a_quote_that_one_file_holds_is_in_its_place() -> None:
    here = Looked("a", "1", 3)
    gone = Looked("a", "2", None, reason="it is not")

    assert places.standing("a", ["1", "2"], {("a", "1"): here, ("a", "2"): gone}).looked == here
    assert places.standing("a", ["2"], {("a", "2"): gone}).state == "not in the file"
    assert places.standing("a", ["1", "2"], {("a", "2"): gone}).state == "not looked up"
    assert places.standing("a", [], {("a", "1"): here}).state == "no file yet"


def test_files_are_those_of_the_studys_reports_only(
    reviewed: Store, included: str, settings: Settings
) -> None:
    other = found(reviewed, article(2))[0]
    include(reviewed, other)
    ops.evidence.extract(reviewed, **_extract("e1", form()), now=NOW)
    attach(reviewed, settings, other, pdfs.pdf(LINES), "paper.pdf")

    with reviewed.read() as con:
        assert quote_places.files_of_studies(con, REVIEW) == {}


def test_figures_stand_in_their_quote_or_it_is_said_how_they_were_worked_out(
    reviewed: Store, included: str
) -> None:
    result: dict[str, Any] = {"outcome": "attendance", "construct": "days", "measure": "SMD"}
    result |= {"effect": -0.5, "ci_low": -0.8, "ci_high": -0.2, "higher_is_better": True}
    quote = "SMD −0·5 (95% CI −0.8 to −0.2)"
    with reviewed.read() as con:
        rules = ops.evidence.protocol(con, REVIEW)

    def checked(**more: Any) -> forms.Extraction:
        data = form() | {"results": [result | more]}
        return checks.from_json(data, rules, "the form")

    kept = checked(source_quote=quote)
    assert kept.results[0].source_quote == quote
    assert "source_quote" not in forms.to_json(checked())["results"][0]
    with pytest.raises(Refused, match=r"results\[0\]\.source_quote: does not hold effect = -0.5"):
        checked(source_quote="The groups differed by half a standard deviation.")
    assert checked(source_quote="They differed.", worked_out="from the t test").results


def _finding(quote: str) -> dict[str, Any]:
    return {"dimension": "implementation", "text": "Families felt heard.", "quote": quote}


def _extract(id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "review": REVIEW, "data": data, "extractor": "ada"}


def test_what_may_run_in_a_file_stands_beside_it_on_every_page(
    reviewed: Store, included: str, settings: Settings, browser: People
) -> None:
    ada = browser("ada")
    pages = (f"/r/{REVIEW}/records/{included}", f"{BASE}/new?report={included}")
    script = pdfs.pdf(LINES, catalog=b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>")
    attached = ops.full_text.attach(
        reviewed,
        settings.full_texts,
        id="f1",
        review=REVIEW,
        record=included,
        name="paper.pdf",
        body=script,
        author="ada",
        now=NOW,
    )
    assert ["not yet looked at for scripts" in ada.get(page) for page in pages] == [True, True]
    ops.page_texts.text_of(settings.full_texts, attached["sha256"])
    told = "Careful: holds scripts; open it where these don’t run."
    assert [told in ada.get(page) for page in pages] == [True, True]
