"""The ledger's page and JSON, and tasks about retractions."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from livereview.ops import surveil
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import _openalex, include

People = Callable[..., Browser]
RETRACTED = _openalex("W1").replace(b'"title"', b'"is_retracted": true, "title"', 1)


def night(store: Store, search: str, body: bytes) -> None:
    surveil.begin(store, review=REVIEW, name="openalex", search=search, now=NOW)
    surveil.ingest(store, search=search, body=body, now=NOW, note="asked by publication date")
    surveil.finish(store, search=search, now=NOW, seconds=2.5)


def test_the_ledger_shows_each_run_as_it_was_run(reviewed: Store, browser: People) -> None:
    lena = browser("lena", "lead")
    assert "No search has run yet" in lena.get(f"/r/{REVIEW}/ledger")
    night(reviewed, "n1", _openalex("W1"))
    page = lena.get(f"/r/{REVIEW}/ledger")
    assert (
        "the beginning to 2026-03-02" in page
        and "asked by publication date" in page
        and "2.5" in page
    )
    (told,) = lena.http.get(f"/r/{REVIEW}/ledger.json").json()["attempts"]
    assert told["found"] == 1 and told["kind"] == "sweep"


def test_a_retraction_is_on_the_leads_page_until_it_is_settled(
    reviewed: Store, browser: People
) -> None:
    night(reviewed, "n1", _openalex("W1"))
    with reviewed.read() as con:
        ((record,),) = con.execute("SELECT record_id FROM record").fetchall()
    include(reviewed, record)
    night(reviewed, "n2", RETRACTED)
    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    assert "was retracted, says openalex" in page and "Retractions and corrections" in page
    assert "was retracted" not in lena.press("Keep the decision")
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM included").fetchall() == [(1,)]
        assert con.execute("SELECT outcome, author FROM task_end").fetchall() == [("noted", "lena")]


def test_a_report_decided_on_again_is_back_at_full_text(reviewed: Store, browser: People) -> None:
    night(reviewed, "n1", _openalex("W1"))
    with reviewed.read() as con:
        ((record,),) = con.execute("SELECT record_id FROM record").fetchall()
    include(reviewed, record)
    night(reviewed, "n2", RETRACTED)
    lena = browser("lena", "lead")
    lena.get(f"/r/{REVIEW}")
    lena.press("Decide on it again")
    with reviewed.read() as con:
        assert con.execute("SELECT stage FROM queue").fetchall() == [("full_text",)]
    found(reviewed, article(2), search="s9")
    assert "Retracted" in lena.get(f"/r/{REVIEW}/screen/full_text")


def test_alarms_of_one_cause_stand_together_with_one_next_step_and_numbers_are_doors(
    reviewed: Store, browser: People, protocol: str
) -> None:
    (search,) = re.findall(r"\[\[searches\]\].*?(?=\n\[\[|\Z)", protocol, re.DOTALL)[:1]
    more = "\n".join(
        search.replace('name = "openalex"', f'name = "extra-{number}"') for number in range(6)
    )
    surveil.register(reviewed, text=f"{protocol}\n{more}\n", now=NOW)
    names = [f"extra-{number}" for number in range(6)]
    for name in names:
        surveil.begin(reviewed, review=REVIEW, name=name, search=name, now=NOW)
        surveil.finish(reviewed, search=name, now=NOW, error="the source is away")
    lena = browser("lena", "lead")
    page = lena.get(f"/r/{REVIEW}")
    (group,) = [
        block.split("</div>")[0]
        for block in page.split('<div class="alarm">')[1:]
        if "<strong>Searches</strong>" in block
    ]
    assert "6 alarms" in group and "3 more" in group
    assert group.count(f'href="/r/{REVIEW}/ledger"') == 1
    for name in names:
        assert f"search {name} ended failed" in group
    doors = re.findall(r'href="(/r/[^"]*/records\?[^"]*)"', page)
    assert len(doors) >= 4
    for door in doors:
        assert lena.http.get(html.unescape(door)).status_code == 200
