"""What is done to many reports at once, tags, and views that are kept."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from livereview.exchange import write
from livereview.ops.team import screens
from livereview.sources import bibtex
from livereview.store import saved_views, standings
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import decide
from tests.test_web_records import TABLE, count, facets

People = Callable[..., Browser]


@pytest.fixture
def three(reviewed: Store) -> list[str]:
    return found(reviewed, *(article(number) for number in range(3)))


def act(person: Browser, button: str, records: list[str], **typed: str) -> str:
    """Mark these reports in the table that is shown, and press a button."""
    action, fields = person.form(button)
    fields.pop("record", None)
    fields.pop("whole", None)
    sent = {**fields, **typed, "record": records}
    person.page = person.http.post(action, data=sent)
    return person.page.text


def test_tags_are_the_reviews_shared_renamed_coloured_and_found(
    reviewed: Store, three: list[str], browser: People
) -> None:
    ada, bo = browser("ada"), browser("bo")
    decide(reviewed, three[2], "ada", "include", tags=("Background",))
    ada.get(TABLE)
    assert "The tag is on 2 reports now." in act(ada, "Tag", three[:2], tag="background")
    assert facets(ada.page.text)["Tag", "background"] == 3, "what was typed beside a vote too"
    assert facets(bo.get(TABLE))["Tag", "background"] == 2
    assert count(bo.get(f"{TABLE}?q=tag:backgr")) == 2

    bo.get(f"/r/{REVIEW}/tags")
    bo.press("Change", name="Context", colour="blue")
    assert "Context" in bo.page.text and "2 reports" in bo.page.text
    assert facets(ada.get(TABLE))["Tag", "Context"] == 3, "by the name that it had, too"
    assert 'class="tag blue"' in ada.page.text
    act(ada, "Tag", three[:1], tag="Other")
    bo.get(f"/r/{REVIEW}/tags")
    bo.press("Change", name="other")
    assert bo.page.status_code == 422 and "is called" in bo.page.text

    ada.get(f"{TABLE}/{three[0]}")
    ada.press("Take it off", tag="context")
    assert (
        ada.page.url.path == f"{TABLE}/{three[0]}" and "took the tag Context off" in ada.page.text
    )
    assert facets(bo.get(TABLE))["Tag", "Context"] == 1
    ada.get(f"{TABLE}/{three[0]}")
    ada.press("Put it on", tag="a, b")
    assert ada.page.status_code == 422 and "comma" in ada.page.text
    act(ada, "Tag", [], tag="x") if ada.get(TABLE) else None
    assert "Nothing was marked" in ada.page.text


def test_a_whole_view_is_tagged_and_taken_away_as_a_file(
    reviewed: Store, three: list[str], browser: People
) -> None:
    ada, bo = browser("ada"), browser("bo")
    decide(reviewed, three[0], "bo", "include", note="SECRET", tags=("SECRET",))
    ada.get(f"{TABLE}?q=-title:%22trial+2%22")
    act(ada, "Tag", [], tag="both", whole="yes")
    assert count(ada.get(f"{TABLE}?tag=both")) == 2

    files = {}
    for kind in ("RIS", "CSV", "BibTeX"):
        ada.get(f"{TABLE}?tag=both")
        files[kind] = act(ada, kind, [], whole="yes")
        assert "SECRET" not in files[kind] and "Trial 0 of mentoring" in files[kind]
        assert "attachment" in ada.page.headers["content-disposition"]
    assert files["RIS"].count("TY  - ") == files["BibTeX"].count("@misc{") == 2
    assert "open at title_abstract" in files["RIS"] and "both" in files["CSV"]
    bo.get(TABLE)
    assert "bo include at title_abstract" in act(bo, "CSV", three[:1]), "one's own"


def test_full_texts_are_asked_for_where_they_can_be(
    reviewed: Store, three: list[str], browser: People
) -> None:
    ada, bo = browser("ada"), browser("bo")
    for person in ("ada", "bo"):
        decide(reviewed, three[0], person, "include")
    ada.get(TABLE)
    page = act(ada, "Ask for full text", three)
    assert "the full text of 1 report" in page and "2 could not be asked for" in page
    assert "Trial 0" in bo.get(f"/r/{REVIEW}/retrieval")


def test_a_lead_has_reports_decided_again_after_reading_what_it_does(
    reviewed: Store, three: list[str], browser: People
) -> None:
    lena = browser("lena", "lead")
    screens(reviewed, id="x", review=REVIEW, account="lena", screens=False, now=NOW)
    for person in ("ada", "bo"):
        browser(person)
        for record in three[:2]:
            decide(reviewed, record, person, "exclude")
    lena.get(TABLE)
    page = act(lena, "Decide again …", three)
    assert "Have chosen reports decided again" in page and "count no more: 4" in page
    with reviewed.read() as con:
        assert {one.state for one in standings.all_of(con, REVIEW)} == {"open", "excluded"}
    lena.press("Yes, do this", reason="a new look")
    assert facets(lena.get(TABLE))["State", "Open"] == 3
    lena.get(f"/r/{REVIEW}/acts")
    lena.press("Take it back")
    assert facets(lena.get(TABLE))["State", "Excluded"] == 2

    ada = browser("ada")
    action, fields = (ada.get(TABLE), ada.form("Tag"))[1]
    fields = {**fields, "act": "reopen", "record": three[0]}
    assert ada.http.post(action, data=fields).status_code == 403


def test_views_are_kept_for_oneself_or_the_team(
    reviewed: Store, three: list[str], browser: People
) -> None:
    ada, bo, lena = browser("ada"), browser("bo"), browser("lena", "lead")
    ada.get(f"{TABLE}?q=trial&state=open")
    ada.press("Keep it", name="Mine", team="")
    ada.get(f"{TABLE}?source=openalex")
    ada.press("Keep it", name="Ours", team="yes")
    assert "Mine" in ada.page.text and "Ours" in ada.page.text
    page = bo.get(TABLE)
    assert "Ours" in page and "Mine" not in page and "Delete “Ours”" not in page
    ada.get(f"{TABLE}?q=other")
    ada.press("Keep it", name="Mine", team="")
    with reviewed.read() as con:
        kept = {view.name: view.query for view in saved_views.of(con, REVIEW, "ada")}
    assert kept == {"Mine": "q=other", "Ours": "source=openalex"}
    lena.get(TABLE)
    lena.press("Delete “Ours”", team="")
    assert "Ours" not in bo.get(TABLE)
    bo.get(TABLE)
    bo.press("Keep it", name=" ", team="")
    assert bo.page.status_code == 422


def test_bibtex_is_read_again_as_it_was_written() -> None:
    record = article(1, title="50% of {care} & more_", type="journal-article", pages="1-9")
    text = write.as_bibtex([record, article(2)])
    page = bibtex.parse(text, None).records
    assert [one.title for one in page] == [record.title, article(2).title]
    assert page[0].doi == record.doi and page[0].authors == record.authors
    assert re.match(rb"@article\{r[0-9a-f]{20},", text)
