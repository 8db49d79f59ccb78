"""What is typed in a study's form is kept until it is saved: across tabs, devices and a killed
owner, for nobody else's eyes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.ops import backup, restore, surveil
from livereview.ops.drafts import MOST_BESIDE, Typed, decide
from livereview.store import drafts
from livereview.store.drafts import Draft, Subject
from livereview.store.open import Store
from livereview.web import extraction_form
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import include

People = Callable[..., Browser]
BASE = f"/r/{REVIEW}/evidence"
ADA = Subject(REVIEW, "ada", "new", "w1")
A, B, C = ("a" * 32, "b" * 32, "c" * 32)


def typed(page: str, draft: str = "", version: int = 0, **fields: str) -> Typed:
    return Typed(page, draft, version, "", fields)


def draft(id: str, version: int = 1, page: str = "", **fields: str) -> Draft:
    return Draft(id, ADA, version, page or id, "", fields, NOW)


@pytest.mark.parametrize(
    ("known", "sent", "expected"),
    [
        # nothing yet: a first draft, which is beside nothing
        ([], typed(A), (A, 1, False)),
        # the page goes on with what it saw
        ([draft(A, 3)], typed(A, A, 3), (A, 4, False)),
        # a page that was opened later saw it, and goes on
        ([draft(A, 3)], typed(B, A, 3), (A, 4, False)),
        # the draft has gone on elsewhere
        ([draft(A, 4)], typed(B, A, 3), (B, 1, True)),
        ([draft(A, 4, page=B)], typed(A, A, 3), (f"{A}-2", 1, True)),
        # two tabs that were opened before there was any draft
        ([draft(A)], typed(B), (B, 1, True)),
        # the answer to this page's last save was lost
        ([draft(A, 4)], typed(A, A, 3), (A, 5, False)),
        ([draft(A)], typed(A), (A, 2, False)),
        ([draft(B), draft(A, 4, page=C)], typed(B, A, 3), (B, 2, False)),
        # the draft was saved for good, or thrown away, elsewhere
        ([], typed(B, A, 3), (B, 1, True)),
    ],
)
def test_no_save_writes_over_what_its_page_has_not_seen(
    known: list[Draft], sent: Typed, expected: tuple[str, int, bool]
) -> None:
    kept = decide(known, ADA, sent, NOW)
    assert (kept.draft.id, kept.draft.version, kept.beside) == expected
    assert kept.draft.page == sent.page


def test_drafts_beside_each_other_have_an_end_which_is_said() -> None:
    known = [draft(f"{number:032x}") for number in range(MOST_BESIDE)]
    with pytest.raises(Refused, match="throw away"):
        decide(known, ADA, typed(A), NOW)
    assert decide(known, ADA, typed(A, known[3].id, 1), NOW).draft.id == known[3].id


def test_a_draft_is_shown_as_it_was_typed_without_its_empty_rows() -> None:
    fields = {"results-2-effect": "2.50", "label": "Doe", "results-0-reported": "ai=5, bi="}
    moved = extraction_form.without_gaps(fields)
    assert moved == {
        "results-1-effect": "2.50",
        "label": "Doe",
        "results-0-reported": "ai=5, bi=",
    }
    form = extraction_form.read(moved.items())
    assert form["results"] == [{"reported": {"ai": 5, "bi": ""}}, {"effect": 2.5}]
    assert form == extraction_form.read(fields.items())
    assert extraction_form.label_of_box("results-1-ci_low") == "Results 2, 95% interval from"


@pytest.fixture
def report(reviewed: Store) -> str:
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    return record


def kept(store: Store, person: str = "ada") -> list[Draft]:
    with store.read() as con:
        return drafts.of_person(con, REVIEW, person)


def keep(person: Browser, fields: dict[str, str], **changed: str) -> dict[str, Any]:
    """What the script is answered, having sent a page's fields."""
    answer = person.http.post(
        f"{BASE}/new/draft",
        data={**fields, "act": "keep", **changed},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def going_on(fields: dict[str, str], told: dict[str, Any]) -> dict[str, str]:
    return {**fields, "draft": told["draft"], "draft_version": str(told["version"])}


def test_a_draft_lasts_until_the_form_is_saved_and_is_nobody_elses(
    reviewed: Store, report: str, browser: People
) -> None:
    address = f"{BASE}/new?report={report}"
    ada, ben = browser("ada"), browser("ben")
    ada.get(address)
    _, fields = ada.form("Save")
    # without a script
    fields |= {"act": "keep", "label": "Doe 2020", "results-1-effect": "2.50", "year": ""}
    ada.page = ada.http.post(f"{BASE}/new/draft", data=fields)
    assert 'value="Doe 2020"' in ada.page.text and 'value="2.50"' in ada.page.text
    assert "Draft saved at 2026-03-02 09:00 UTC" in ada.page.text
    # signed out and in again, on another device
    ada.http.cookies.clear()
    ada.http.post("/sign-in", data={"secret": "ada-has-a-long-secret-word"})
    page = ada.get(BASE)
    assert "Your drafts" in page and "Doe 2020" in page
    page = ada.get(address)
    assert 'value="Doe 2020"' in page and 'name="year" value=""' in page
    assert "Doe 2020" not in ben.get(address) and "Your drafts" not in ben.get(BASE)
    id = kept(reviewed)[0].id
    assert "Doe 2020" not in ben.get(f"{address}&draft={id}")
    _, others = ben.form("Save")
    ben.http.post(
        f"{BASE}/new/draft",
        data={**others, "draft": id, "draft_version": "1", "act": "throw away"},
    )
    keep(ben, others, draft=id, draft_version="1", label="Ben's")
    assert [row.fields["label"] for row in kept(reviewed)] == ["Doe 2020"]
    # a mistake keeps it too, as it was typed
    page = ada.press("Save", study="Doe 2020")
    assert "Not saved." in page and 'value="2.50"' in page
    assert kept(reviewed)[0].fields["study"] == "Doe 2020"
    whole = {"results-0-effect": "", "study": "doe-2020", "year": "2020"}
    page = ada.press("Save", **whole)
    assert kept(reviewed) == [] and "Your drafts" not in page and "doe-2020" in page
    assert len(kept(reviewed, "ben")) == 1


def test_two_tabs_keep_both_and_the_person_chooses(
    reviewed: Store, report: str, browser: People
) -> None:
    address = f"{BASE}/new?report={report}"
    ada = browser("ada")
    tabs = []
    for _ in range(2):
        ada.get(address)
        tabs.append(ada.form("Save")[1])
    first, second = tabs
    told = keep(ada, first, label="From the first")
    assert (told["version"], told["beside"]) == (1, False)
    first = going_on(first, told)
    told = keep(ada, second, label="From the second")
    assert told["beside"]
    second = going_on(second, told)
    assert keep(ada, second, label="From the second, more") == {
        **told,
        "version": 2,
        "beside": False,
    }
    assert not keep(ada, first, label="From the first, more")["beside"]
    labels = {row.fields["label"] for row in kept(reviewed)}
    assert labels == {"From the first, more", "From the second, more"}
    page = ada.get(told["link"])
    assert "You have 1 other draft of this form" in page and "differs in 1 field" in page
    assert "From the first, more" in page and 'value="From the second, more"' in page
    ada.press("Throw it away")
    assert [row.fields["label"] for row in kept(reviewed)] == ["From the first, more"]


def test_a_draft_that_is_older_than_what_was_saved_says_so(
    reviewed: Store, report: str, browser: People
) -> None:
    ada, ben = browser("ada"), browser("ben")
    ada.get(f"{BASE}/new?report={report}")
    ada.press("Save", study="doe-2020", label="Doe 2020")
    for person in (ada, ben):
        person.get(f"{BASE}/doe-2020")
    _, fields = ada.form("Save")
    fields |= {"act": "keep", "label": "Of ada"}
    ada.http.post(f"{BASE}/doe-2020/draft", data=fields)
    assert "older than what was saved" not in ada.get(f"{BASE}/doe-2020")
    ben.press("Save", label="Of ben")
    page = ada.get(f"{BASE}/doe-2020")
    assert "older than what was saved" in page and 'value="Of ada"' in page
    assert "older than" not in ada.get(f"{BASE}/doe-2020?draft=none")


def test_a_second_extractors_work_is_not_told_by_a_draft(
    reviewed: Store, protocol: str, report: str, browser: People
) -> None:
    text = protocol.replace("licence =", "extractors = 2\nlicence =", 1)
    surveil.register(reviewed, text=text, now=NOW)
    ada, ben = browser("ada"), browser("ben")
    ben.get(f"{BASE}/new?report={report}")
    ben.press("Save", study="doe-2020", label="Of ben")
    ada.get(f"{BASE}/doe-2020")
    _, fields = ada.form("Save")
    ada.http.post(f"{BASE}/doe-2020/draft", data={**fields, "act": "keep", "label": "Of ada"})
    ben.get(f"{BASE}/doe-2020")
    ben.press("Save", label="Of ben, again")
    page = ada.get(f"{BASE}/doe-2020")
    assert 'value="Of ada"' in page and "older than what was saved" not in page


def test_too_many_rows_and_a_study_that_is_not_there_are_refused(
    reviewed: Store, report: str, browser: People
) -> None:
    ada = browser("ada")
    ada.get(f"{BASE}/new?report={report}")
    _, fields = ada.form("Save")
    fields |= {"act": "keep"}
    rows = ada.http.post(f"{BASE}/new/draft", data={**fields, "results-1000-n": "1"})
    assert rows.status_code == 422 and "1,000 rows" in rows.text
    assert ada.http.post(f"{BASE}/nobody-1/draft", data=fields).status_code == 404
    act = ada.http.post(f"{BASE}/new/draft", data={**fields, "act": "burn"})
    assert act.status_code == 422 and kept(reviewed) == []


def test_drafts_are_in_a_whole_backup(reviewed: Store, tmp_path: Path) -> None:
    reviewed.write(lambda con: drafts.write(con, draft(A, 2, label="Doe")), quick=True)
    backup.backup(reviewed, target=str(tmp_path / "nas"), name="a", now=NOW + timedelta(hours=1))
    restore.restore(str(tmp_path / "nas"), tmp_path / "elsewhere")
    with Store(tmp_path / "elsewhere" / "livereview.duckdb", "500MB", 1) as restored:
        assert kept(restored) == [draft(A, 2, label="Doe")]


OWNER = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from livereview.ops import drafts
from livereview.store.drafts import Subject
from livereview.store.open import Store
store = Store(Path(sys.argv[1]), "500MB", 1)
for version in range(3):
    typed = drafts.Typed("a" * 32, "a" * 32, version, "", {"label": f"Typed {version}"})
    subject = Subject("small-review", "ada", "new", "w1")
    drafts.keep(store, subject=subject, typed=typed, now=datetime.now(UTC))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_draft_survives_an_owner_that_is_killed(new_database: Path, tmp_path: Path) -> None:
    database = tmp_path / "livereview.duckdb"
    database.write_bytes(new_database.read_bytes())
    ended = subprocess.run(
        [sys.executable, "-c", OWNER, str(database)], env=dict(os.environ), check=False
    )
    assert ended.returncode == -signal.SIGKILL
    with Store(database, "500MB", 1) as store:
        assert [(row.version, dict(row.fields)) for row in kept(store)] == [
            (3, {"label": "Typed 2"})
        ]


def test_each_section_says_what_is_still_missing(
    reviewed: Store, report: str, browser: People
) -> None:
    ada = browser("ada")
    page = ada.get(f"{BASE}/new?report={report}")
    assert "Trial 1 of mentoring" in page and "Doe, Jane; Roe, Richard" in page and "2020" in page
    assert "No full text yet" in page
    (study, results, *_) = states(page)
    assert study.startswith("Study: to do: ") and "Id of the study" in study and "Label" in study
    assert results == "Results: empty"
    typed = {"study": "doe-2020", "label": "Doe 2020", "results-0-n": "40"}
    (study, results, *_) = states(ada.press("More rows", **typed))
    assert study == "Study: complete"
    assert results.startswith("Results: to do: ") and "Outcome" in results
    page = ada.press("Save", label="")
    (study, results, *_) = states(page)
    assert study == "Study: to do: Label"
    # both sections that hold a mistake are open, and none closes the other
    assert page.count('<details class="section" open') == 2 and 'name="section"' not in page


def states(page: str) -> list[str]:
    """What the list at the top says of each section."""
    (contents,) = re.findall(r'<ol class="contents">(.*?)</ol>', page, re.DOTALL)
    items = re.findall(r"<li[^>]*>(.*?)</li>", contents, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", "", item).split()) for item in items]
