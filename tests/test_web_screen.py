from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from livereview import ops
from livereview.ops import protocols
from livereview.store import queues
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found

People = Callable[..., Browser]
TA, FULL = f"/r/{REVIEW}/screen/title_abstract", f"/r/{REVIEW}/screen/full_text"


def vote(
    store: Store,
    record: str,
    reviewer: str,
    verdict: str,
    stage: str = "title_abstract",
    **more: str,
) -> None:
    ops.screen.decide(
        store,
        id=f"{reviewer}/{record}/{stage}/{verdict}",
        review=REVIEW,
        record=record,
        stage=stage,
        reviewer=reviewer,
        verdict=verdict,
        now=NOW,
        **more,  # type: ignore[arg-type]
    )


def in_force(store: Store) -> list[tuple[str, str, str | None, str | None]]:
    with store.read() as con:
        rows = con.execute(
            "SELECT reviewer, verdict, reason, note FROM current_decision ORDER BY seq"
        ).fetchall()
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def test_a_reviewer_reads_a_record_decides_and_stands_before_the_next(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    page = ada.get(TA)
    for words in (
        "Trial 1 of",
        "Doe, Jane; Roe, Richard",
        "2020",
        "Journal of Care",
        "https://doi.org/10.1000/trial1",
    ):
        assert words in page.replace('<mark class="include" title="include term">', "")
    assert (
        "Children under 18" in page
        and "2. Wrong study design" in page
        and "Not in English" not in page
    )
    assert "<strong>0</strong> done by you, <strong>2</strong> waiting for you" in page
    page = ada.press("Exclude", reason="wrong-design", note="no trial")
    assert ada.page.history[0].status_code == 303
    assert "<strong>Excluded</strong>" in page and "Trial 2 of" in page
    assert in_force(reviewed) == [("ada", "exclude", "wrong-design", "no trial")]
    page = ada.press("Include")
    assert "Nothing waits for you here" in page and "<strong>Included</strong>" in page


def test_a_record_without_an_abstract_points_to_its_doi(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1, abstract=None))
    assert "No abstract came with this record: open the DOI below" in browser("ada").get(TA)


def test_full_text_asks_for_a_reason_and_keeps_what_was_typed(
    reviewed: Store, browser: People
) -> None:
    (record,) = found(reviewed, article(1))
    vote(reviewed, record, "bea", "include")
    vote(reviewed, record, "ada", "maybe")
    ada = browser("ada")
    assert "Can’t get it" in ada.get(FULL)
    page = ada.press("Exclude", note="adults <b>only</b>")
    assert ada.page.status_code == 422
    assert (
        "needs one of these reasons; press its number: 1 Wrong population, 2 Wrong study design."
        in page
    )
    assert (
        "wrong-population, wrong-design" not in page
        and "adults &lt;b&gt;only&lt;/b&gt;</textarea>" in page
    )
    assert page.count("autofocus") == 1
    assert (
        '<select id="reason" name="reason" aria-invalid="true" aria-describedby="problem" autofocus>'
        in page
    )
    assert "<strong>Excluded</strong>" in ada.press(
        "Exclude", note="adults only", reason="wrong-population"
    )


FORBIDDEN = (
    {"verdict": "withdrawn"},
    {"verdict": "exclude", "reason": "not-english"},
    {"note": "x" * 4_001},
    {"tags": "x" * 51},
)


@pytest.mark.parametrize("typed", FORBIDDEN)
def test_what_the_rules_forbid_changes_nothing(
    reviewed: Store, browser: People, typed: dict[str, str]
) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    ada.get(TA)
    assert "Not saved." in ada.press("Include", **typed)
    assert ada.page.status_code == 422 and in_force(reviewed) == []


def test_a_form_sent_twice_is_one_decision_even_with_another_button(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    action, fields = ada.form("Include")
    for _ in range(2):
        answer = ada.http.post(action, data=fields)
        assert answer.status_code == 200 and "<strong>Included</strong>" in answer.text
    other = ada.http.post(action, data={**fields, "verdict": "exclude"})
    assert (
        other.status_code == 409
        and "Your Included had arrived" in other.text
        and "Trial 2 of" in other.text
    )
    with reviewed.read() as con:
        assert con.execute("SELECT count(*), any_value(verdict) FROM decision").fetchall() == [
            (1, "include")
        ]


def test_an_outdated_tab_changes_nothing_and_says_so(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    ada.get(TA)
    action, old = ada.form("Exclude")
    ada.get(TA)
    ada.press("Include")
    answer = ada.http.post(action, data=old)
    assert answer.status_code == 409 and "Included is what you had said" in answer.text
    assert in_force(reviewed) == [("ada", "include", None, None)]


def test_two_tabs_at_the_same_moment_make_one_decision(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    forms = []
    for button in ("Include", "Exclude"):
        ada.get(TA)
        forms.append(ada.form(button))
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda form: ada.http.post(form[0], data=form[1]).status_code, forms)
        )
    assert sorted(answers) == [200, 409]
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM decision").fetchall() == [(1,)]


def test_a_form_that_was_undone_can_not_be_sent_again(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    ada.get(TA)
    action, old = ada.form("Exclude")
    ada.press("Exclude")
    ada.press("Undo")
    answer = ada.http.post(action, data=old)
    assert (
        answer.status_code == 409 and "taken back since" in answer.text and in_force(reviewed) == []
    )


def test_a_record_that_others_have_settled_is_not_voted_on_again(
    reviewed: Store, browser: People
) -> None:
    (record,) = found(reviewed, article(1))
    ada = browser("ada")
    ada.get(TA)
    vote(reviewed, record, "bea", "exclude")
    vote(reviewed, record, "cy", "exclude")
    assert "no longer waits for you" in ada.press("Include")
    assert ada.page.status_code == 409 and len(in_force(reviewed)) == 2


def test_undo_brings_the_record_back_with_its_note(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1), article(2))
    ada = browser("ada")
    ada.get(TA)
    ada.press("Exclude", reason="wrong-design", note="see page 4")
    again, fields = ada.form("Undo")
    page = ada.press("Undo")
    assert "<strong>Taken back</strong>" in page and "Trial 1 of" in page
    assert "see page 4</textarea>" in page and '<option value="wrong-design" selected>' in page
    assert in_force(reviewed) == []
    assert ada.http.post(again, data=fields).status_code == 200
    with reviewed.read() as con:
        assert [
            r[0] for r in con.execute("SELECT verdict FROM decision ORDER BY seq").fetchall()
        ] == [
            "exclude",
            "withdrawn",
        ]


def test_history_lists_my_own_decisions_newest_first_with_undo(
    reviewed: Store, browser: People
) -> None:
    first, second = found(reviewed, article(1), article(2))
    vote(reviewed, first, "ada", "exclude", note="mine")
    vote(reviewed, second, "ada", "include")
    vote(reviewed, first, "bea", "include", note="of bea")
    ada = browser("ada")
    page = ada.get(f"/r/{REVIEW}/history")
    assert page.index("Trial 2") < page.index("Trial 1") and "mine" in page and "of bea" not in page
    ada.press("Undo")
    assert ("ada", "include", None, None) not in in_force(reviewed)


PAGES = (
    "/",
    TA,
    FULL,
    f"/r/{REVIEW}/history",
    f"/r/{REVIEW}/duplicates",
    f"/r/{REVIEW}",
    f"/r/{REVIEW}/conflicts",
)


def seen(person: Browser) -> dict[str, tuple[int, str, dict[str, str]]]:
    """Everything a person can see, but for the ids of forms, which are new each time."""
    shown = {}
    for path in PAGES:
        person.get(path)
        text = re.sub(r'name="form" value="[0-9a-f]{32}"', "", person.page.text)
        shown[path] = (person.page.status_code, text, dict(person.page.headers))
        shown[path][2].pop("content-length")
        shown[path][2].pop("x-request-id")  # of each request its own
    return shown


@pytest.mark.parametrize("verdict", ["include", "exclude", "maybe"])
def test_before_i_vote_nothing_i_see_tells_that_my_co_reviewer_did(
    reviewed: Store, browser: People, verdict: str
) -> None:
    first, _ = found(reviewed, article(1), article(2))
    bea = browser("bea")
    before = seen(bea)
    reason = {"reason": "wrong-design"} if verdict == "exclude" else {}
    vote(reviewed, first, "zachary", verdict, note="a telling note", **reason)
    after = seen(bea)
    assert after == before
    assert not any(word in str(after) for word in ("zachary", "telling", "half", "second reviewer"))


def test_hostile_text_is_shown_and_never_run(reviewed: Store, browser: People) -> None:
    evil = "<script>alert(1)</script> foster \"><img src=x onerror=alert(2)> ' onfocus='x"
    found(
        reviewed,
        article(1, title=evil, abstract=evil, container_title=evil, authors=(evil,), language=evil),
    )
    ada = browser("ada")
    ada.get(TA)
    pages = [ada.page.text, ada.press("Exclude", note=evil), ada.get(f"/r/{REVIEW}/history")]
    for page in pages:
        assert page.count("<script") == page.count('<script src="/static/') == 2
        assert "<img" not in page and "&lt;script&gt;" in page


def test_records_of_another_review_are_not_there(
    reviewed: Store, protocol: str, browser: People
) -> None:
    ops.surveil.register(reviewed, text=protocol.replace("small-review", "other"), now=NOW)
    found(reviewed, article(1))
    (foreign,) = found(reviewed, article(9), review="other", search="s2")
    ada = browser("ada")
    ada.get(TA)
    ada.press("Include", record=foreign)
    assert ada.page.status_code == 404 and in_force(reviewed) == []
    for address in (
        "/r/nothing/history",
        "/r/..%2fother/history",
        "/r/Other/history",
        "/r/other%0a/history",
    ):
        ada.get(address)
        assert ada.page.status_code == 404, address
    ada.get(f"/r/{REVIEW}/screen/abstracts")
    assert ada.page.status_code == 404


def test_a_first_vote_is_counted_for_its_author_only(reviewed: Store, browser: People) -> None:
    (record,) = found(reviewed, article(1))
    vote(reviewed, record, "ada", "include")
    with reviewed.read() as con:
        assert queues.progress(con, protocols.protocol(con, REVIEW), "ada")["title_abstract"] == (
            1,
            0,
        )
    assert "<strong>0</strong> done by you, <strong>1</strong> waiting" in browser("bea").get(TA)
