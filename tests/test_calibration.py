"""Settled records asked again: hidden from who answers, told to the lead, and without any effect on
the review.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.ops import calibration, publish, surveil, team
from livereview.ops.team import add_account
from livereview.screening.calibration import Asked, draw, gap, told, turn
from livereview.store import decisions, past, ranks
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found, secret_of
from tests.test_ops_ranking import queue
from tests.test_web_screen import TA, vote

People = Callable[..., Browser]
STAGE = "title_abstract"
TEAM = f"/r/{REVIEW}/team"


def settled(store: Store, number: int, of: int = 2) -> list[str]:
    """So many records that ada and bo agreed on; every `of`th went on.

    Their numbers begin at 1,000.
    """
    ids = found(store, *(article(1_000 + n) for n in range(number)), search="s0")
    for n, record in enumerate(ids):
        for person in ("ada", "bo"):
            vote(store, record, person, "include" if n % of == 0 else "exclude")
    return ids


def people(store: Store, *names: str) -> None:
    for name in names:
        add_account(store, name=name, role="reviewer", secret=secret_of(name), now=NOW)


def ask(store: Store, *names: str, number: int = 10, id: str = "c1") -> dict[str, int]:
    asked: dict[str, int] = calibration.ask(
        store, id=id, review=REVIEW, by="lena", now=NOW, number=number, reviewers=names
    )["asked"]
    return asked


def items(store: Store, person: str) -> dict[str, str]:
    """The reports this person is asked again, in their order, with what was decided."""
    with store.read() as con:
        rows = con.execute(
            "SELECT report_id, settled FROM calibration_item WHERE reviewer = ? ORDER BY seq",
            [person],
        ).fetchall()
    return dict(rows)


def votes(store: Store) -> int:
    with store.read() as con:
        return int(con.execute("SELECT count(*) FROM decision").fetchall()[0][0])


def counts(page: str) -> tuple[int, int]:
    """(done, waiting) as the page says."""
    done, waiting = re.findall(r"<strong>([\d,]+)</strong>", page)[:2]
    return int(done.replace(",", "")), int(waiting.replace(",", ""))


def shown(page: str) -> str:
    found_there = re.search(
        r'class="desk".*?name="record" value="(r[0-9a-f]{20})"', page, re.DOTALL
    )
    assert found_there
    return found_there[1]


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(0, 99))
def test_a_draw_has_both_verdicts_as_far_as_there_are(
    included: int, excluded: int, number: int, seed: int
) -> None:
    pool = [(f"i{n}", "include") for n in range(included)] + [
        (f"e{n}", "exclude") for n in range(excluded)
    ]
    chosen = draw(pool, number, seed)
    assert chosen == draw(reversed(pool), number, seed) and len(set(chosen)) == len(chosen)
    assert len(chosen) == min(number, len(pool))
    on = sum(one.startswith("i") for one in chosen)
    assert on >= min(included, number // 2) and len(chosen) - on >= min(excluded, number // 2)


@given(st.lists(st.integers(7, 13), max_size=5), st.integers(0, 40))
def test_every_step_takes_one_from_what_waits(gaps: list[int], waiting: int) -> None:
    """However records and items follow on each other, the sum falls by one each time, to nothing."""
    since, sequence = 0, []
    while True:
        now, coming = turn(gaps, since, waiting)
        before = waiting + coming
        if not now and not waiting:
            break
        sequence.append(now)
        gaps, since, waiting = (gaps[1:], 0, waiting) if now else (gaps, since + 1, waiting - 1)
        assert waiting + turn(gaps, since, waiting)[1] == before - 1
    assert before == 0
    apart = "".join("x" if one else "." for one in sequence).split("x")
    assert all(len(one) >= 7 for one in apart[:-1])


def test_gaps_are_about_ten_and_always_the_same() -> None:
    gaps = [gap(seed, place) for seed in range(50) for place in range(10)]
    assert set(gaps) == set(range(7, 14)) and 9.5 < sum(gaps) / len(gaps) < 10.5
    assert [gap(1, n) for n in range(5)] == [gap(1, n) for n in range(5)]


def test_what_is_told_counts_answers_and_marks_one_s_own() -> None:
    asked = [
        Asked("cy", f"i{n}", "include", n < 2, "include" if n else "exclude", "2026-03")
        for n in range(5)
    ]
    asked += [Asked("cy", f"e{n}", "exclude", False, "exclude", "2026-04") for n in range(5)]
    asked += [Asked("cy", "open", "include", False), Asked("ada", "x", "exclude", True)]
    ada, cy = told(asked)
    assert (ada.asked, ada.answered, ada.kappa.value, ada.months) == (1, 0, None, ())
    assert (cy.asked, cy.answered, cy.same, cy.own, cy.own_same) == (11, 10, 9, 2, 1)
    assert cy.kappa.value == pytest.approx(0.8) and cy.ac1.value is not None and cy.ac1.items == 10
    assert [(one.month, one.answered, one.same) for one in cy.months] == [
        ("2026-03", 5, 4),
        ("2026-04", 5, 5),
    ]


def test_only_what_two_people_agree_on_is_drawn_half_of_each_verdict(reviewed: Store) -> None:
    settled(reviewed, 30, of=3)
    split, alone, third = found(reviewed, article(1), article(2), article(3))
    for record in (split, third):
        vote(reviewed, record, "ada", "include")
        vote(reviewed, record, "bo", "exclude")
    vote(reviewed, alone, "ada", "include")
    vote(reviewed, third, "lena", "exclude", role="adjudication")
    people(reviewed, "ada", "cy")
    assert ask(reviewed) == {"ada": 10, "cy": 10}
    drawn = items(reviewed, "cy")
    assert (
        sorted(drawn.values()) == ["exclude"] * 5 + ["include"] * 5
        and not {split, alone, third} & drawn.keys()
    )
    assert drawn.keys() != items(reviewed, "ada").keys()
    with reviewed.read() as con:
        rows = con.execute(
            "SELECT reviewer, bool_and(own), count(DISTINCT seed) FROM calibration GROUP BY reviewer"
        )
        assert sorted(rows.fetchall()) == [("ada", True, 1), ("cy", False, 1)]


def test_the_same_form_twice_is_one_draw_and_no_report_comes_a_second_time(reviewed: Store) -> None:
    settled(reviewed, 14)
    people(reviewed, "cy")
    assert ask(reviewed, "cy") == ask(reviewed, "cy") == {"cy": 10}
    first = set(items(reviewed, "cy"))
    assert (
        ask(reviewed, "cy", id="c2") == {"cy": 4} and len(set(items(reviewed, "cy")) - first) == 4
    )
    with pytest.raises(Refused, match="asked about every report"):
        ask(reviewed, "cy", id="c3")


def test_what_can_t_be_asked_is_refused_with_the_reason(reviewed: Store, protocol: str) -> None:
    with pytest.raises(Refused, match="no report yet"):
        ask(reviewed)
    settled(reviewed, 2)
    with pytest.raises(Refused, match="no reviewer with an open account"):
        ask(reviewed)
    people(reviewed, "cy")
    with pytest.raises(Refused, match="zoe can't be asked; choose among cy"):
        ask(reviewed, "zoe")
    with pytest.raises(Refused, match="1 to 100"):
        ask(reviewed, number=0)
    with pytest.raises(Refused, match="does not wait for cy"):
        calibration.answer(
            reviewed, id="a", review=REVIEW, record=queue_of_settled(reviewed), stage=STAGE, reviewer="cy",
            verdict="include", now=NOW,
        )  # fmt: skip
    surveil.register(
        reviewed, text=protocol.replace("votes = 2", 'votes = 2\nstages = ["full_text"]'), now=NOW
    )
    with pytest.raises(Refused, match="which this review does not have"):
        ask(reviewed, id="c9")


def queue_of_settled(store: Store) -> str:
    with store.read() as con:
        return str(con.execute("SELECT report_id FROM screening_state LIMIT 1").fetchall()[0][0])


def test_items_come_one_by_one_about_every_tenth_and_no_count_tells(
    reviewed: Store, browser: People
) -> None:
    settled(reviewed, 20)
    found(reviewed, *(article(n) for n in range(45)))
    cy = browser("cy")
    assert ask(reviewed, "cy", number=5) == {"cy": 5}
    hidden = items(reviewed, "cy")
    page, seen, home = cy.get(TA), [], []
    done, waiting = counts(page)
    while "Nothing waits for you here" not in page:
        seen.append(shown(page))
        home.append(cy.http.get("/").text)
        page = cy.press("Exclude")
        assert "<strong>Excluded</strong>" in page
        assert counts(page) == (done + len(seen), waiting - len(seen))
    places = [n for n, record in enumerate(seen) if record in hidden]
    assert [seen[n] for n in places] == list(hidden)[: len(places)] and 3 <= len(places) <= 5
    assert all(8 <= b - a <= 14 for a, b in zip([-1, *places], places, strict=False))
    assert len(set(seen)) == len(seen) == 45 + len(places) and waiting == len(seen)
    assert counts(page) == (len(seen), 0) and all(
        str(waiting - n) in one for n, one in enumerate(home)
    )


def test_an_item_looks_like_any_other_record(reviewed: Store, browser: People) -> None:
    settled(reviewed, 4)
    found(reviewed, *(article(n) for n in range(30)))
    cy = browser("cy")
    ask(reviewed, "cy")
    hidden, pages = items(reviewed, "cy"), {True: "", False: ""}
    for _ in range(16):
        cy.get(TA)
        pages[shown(cy.page.text) in hidden] = plain(cy)
        cy.press("Include", note="n")
        if all(pages.values()):
            break
    assert pages[True] == pages[False] != ""


def plain(one: Browser) -> str:
    """The page and the names of its headers, without what differs between any two records."""
    text = re.sub(r'name="shown" value="[^"]+"', "", one.page.text)
    text = re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b|r[0-9a-f]{20}|\d+", "#", text)
    text = re.sub(r'<div class="status".*?</div>', "", text, flags=re.DOTALL)
    return "\n".join(one.page.headers) + text


def to_item(one: Browser, store: Store, person: str) -> str:
    """Decide until an item is on the screen; its record."""
    hidden = items(store, person)
    one.get(TA)
    while shown(one.page.text) not in hidden:
        one.press("Exclude")
    return shown(one.page.text)


def everything_known(store: Store) -> list[object]:
    """All that an answer must not move."""
    with store.read() as con:
        tables = [name for name in past.event_tables(con) if not name.startswith("calibration")]
        events = [
            con.execute(f"SELECT count(*), max(seq) FROM {name}").fetchall() for name in tables
        ]
        return [
            con.execute("SELECT * FROM screening_state ORDER BY ALL").fetchall(),
            decisions.counts(con, REVIEW),
            ranks.labels(con, REVIEW, STAGE),
            team.agreements(con, REVIEW),
            decisions.counts_by_person(con, REVIEW),
            events,
        ]


def test_an_answer_moves_nothing_and_publishes_nothing(
    reviewed: Store, browser: People, tmp_path: Path
) -> None:
    settled(reviewed, 6)
    found(reviewed, *(article(n) for n in range(20)))
    cy = browser("cy")
    ask(reviewed, "cy")
    record = to_item(cy, reviewed, "cy")
    site = tmp_path / "site"
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)
    before, pages = everything_known(reviewed), read(site)
    wrong = "Exclude" if items(reviewed, "cy")[record] == "include" else "Include"
    assert f"<strong>{wrong}d</strong>" in cy.press(wrong, note="once more")
    assert everything_known(reviewed) == before
    assert (
        publish.publish(reviewed, review=REVIEW, folder=site, now=NOW)["new"] is False
        and read(site) == pages
    )
    with reviewed.read() as con:
        (told_of,) = calibration.results(con, REVIEW)
    assert (told_of.answered, told_of.same, told_of.own) == (1, 0, 0)


def read(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_undo_takes_an_answer_back_and_brings_the_record_again_with_the_note(
    reviewed: Store, browser: People
) -> None:
    settled(reviewed, 6)
    found(reviewed, *(article(n) for n in range(20)))
    cy = browser("cy")
    ask(reviewed, "cy")
    record = to_item(cy, reviewed, "cy")
    before, cast = counts(cy.page.text), votes(reviewed)
    page = cy.press("Include", note="odd one", tags="pilot")
    undo, decided = cy.form("Undo"), cy.page
    assert "odd one" in cy.get(f"/r/{REVIEW}/history") and "Tags: <span" in cy.page.text
    cy.page = decided
    page = cy.press("Undo")
    assert (
        shown(page) == record
        and "Taken back" in page
        and "odd one" in page
        and 'value="pilot"' in page
    )
    assert counts(page) == before and "odd one" not in cy.get(f"/r/{REVIEW}/history")
    assert cy.http.post(undo[0], data=undo[1]).status_code == 200  # sent twice it counts once
    cy.get(TA)
    cy.press("Exclude")
    assert votes(reviewed) == cast
    with reviewed.read() as con:
        rows = con.execute("SELECT verdict FROM calibration_answer ORDER BY seq").fetchall()
    assert rows == [("include",), ("withdrawn",), ("exclude",)]


def test_one_s_own_record_again_leaves_the_vote_alone_and_shows_it_once(
    reviewed: Store, browser: People
) -> None:
    settled(reviewed, 8)
    found(reviewed, *(article(n) for n in range(20)))
    ada = browser("ada")
    ask(reviewed, "ada")
    record = to_item(ada, reviewed, "ada")
    cast = votes(reviewed)
    ada.press("Include", note="second thoughts")
    form = ada.form("Undo")
    history = ada.get(f"/r/{REVIEW}/history")
    assert history.count(f'value="{record}"') == 1 and "second thoughts" in history
    with reviewed.read() as con:
        (told_of,) = calibration.results(con, REVIEW)
    assert (told_of.own, votes(reviewed)) == (1, cast)
    for _ in range(2):  # the second time it must not take the vote itself
        ada.http.post(form[0], data=form[1])
    assert (
        votes(reviewed) == cast and ada.get(f"/r/{REVIEW}/history").count(f'value="{record}"') == 1
    )
    assert "second thoughts" not in ada.page.text


def test_the_vote_itself_is_the_team_s_by_now_and_a_lead_is_asked(
    reviewed: Store, browser: People
) -> None:
    """Its report is settled, so nobody takes it back alone.

    That it is asked about again changes nothing of this.
    """
    (record, *_) = settled(reviewed, 1)
    found(reviewed, article(1))
    ada = browser("ada")
    ask(reviewed, "ada")
    before = votes(reviewed)
    ada.get(f"/r/{REVIEW}/history")
    assert "a lead sees what it would change" in ada.press("Undo")
    assert votes(reviewed) == before
    assert items(reviewed, "ada") == {record: "include"}


def test_an_answer_is_held_to_the_rules_of_a_vote(reviewed: Store, browser: People) -> None:
    settled(reviewed, 6)
    found(reviewed, *(article(n) for n in range(20)))
    cy = browser("cy")
    ask(reviewed, "cy")
    to_item(cy, reviewed, "cy")
    for typed in (
        {"verdict": "withdrawn"},
        {"verdict": "not_retrieved"},
        {"verdict": "exclude", "reason": "not-english"},
        {"note": "x" * 4_001},
    ):
        assert "Not saved." in cy.press("Include", **typed) and cy.page.status_code == 422
        cy.get(TA)
    form = cy.form("Include")
    cy.press("Include")
    # the same form again is the same answer
    assert cy.http.post(form[0], data=form[1]).status_code == 200
    other = {**form[1], "form": "0" * 32}
    assert cy.http.post(form[0], data=other).status_code == 409
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM calibration_answer").fetchall() == [(1,)]


def test_a_report_that_is_taken_up_again_is_asked_about_as_a_vote(
    reviewed: Store, browser: People
) -> None:
    ids = settled(reviewed, 3)
    found(reviewed, *(article(n) for n in range(20)))
    cy = browser("cy")
    ask(reviewed, "cy")
    record = to_item(cy, reviewed, "cy")
    for one in ids:
        vote(reviewed, one, "bo", "withdrawn")
    assert set(ids) <= set(queue(reviewed, "cy"))
    cast = votes(reviewed)
    cy.get(f"{TA}?record={record}")
    cy.press("Include")
    assert votes(reviewed) == cast + 1
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM calibration_answer").fetchall() == [(0,)]


def test_the_lead_asks_and_reads_the_answers_and_nobody_else_hears_of_it(
    reviewed: Store, browser: People
) -> None:
    settled(reviewed, 6)
    found(reviewed, *(article(n) for n in range(20)))
    lena, cy = browser("lena", "lead"), browser("cy")
    lena.get(TEAM)
    page = lena.press("Ask them", number="3", people="cy")
    assert 'id="calibration"' in page and "not estimable" not in page
    record = to_item(cy, reviewed, "cy")
    cy.press("Include" if items(reviewed, "cy")[record] == "include" else "Exclude")
    row = " ".join(lena.get(TEAM).split())
    assert '<th scope="row">cy</th> <td class="n">3</td> <td class="n">1</td> <td>1</td>' in row
    assert "cy, 2026-03" in row and "everybody gave the same answer" in row
    assert "can&#39;t be asked" in ask_page(lena, "zoe") and lena.page.status_code == 422
    for address in ("/", TA, f"/r/{REVIEW}/history"):
        assert "alibrat" not in cy.get(address)


def ask_page(lead: Browser, name: str) -> str:
    lead.get(TEAM)
    return lead.press("Ask them", people=name)
