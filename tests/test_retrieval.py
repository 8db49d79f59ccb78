"""A report that somebody can't get: a list that everybody sees, and no vote."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from livereview import ops
from livereview.errors import Refused
from livereview.ops import as_of, protocols, publish, status, surveil
from livereview.ops.notices import digests
from livereview.ops.screen import Stale
from livereview.screening.states import Ballot, has_answered
from livereview.settings import Settings
from livereview.store import decisions, queues, retrieval, standings
from livereview.store.open import Store
from tests import pdfs
from tests.conftest import DATA, NOW, REVIEW, Browser, article, found
from tests.test_ops import decide
from tests.test_web_full_text import PDF
from tests.test_web_screen import FULL, vote

People = Callable[..., Browser]
LIST = f"/r/{REVIEW}/retrieval"
GET = "Can’t get it"
HAVE = "I can get it now"
FINAL, AGAIN = "It can’t be had: make it final", "Seek it again"
STAGES = ("title_abstract", "full_text")


def at_full_text(store: Store, count: int = 1) -> list[str]:
    records = found(store, *(article(number) for number in range(1, count + 1)))
    for record in records:
        for person in ("eve", "flo"):
            vote(store, record, person, "include")
    return records


def queue(store: Store, person: str) -> list[str]:
    with store.read() as con:
        return queues.waiting_for(con, protocols.protocol(con, REVIEW), person, "full_text")


def state(store: Store, record: str) -> str:
    with store.read() as con:
        standing = standings.of(con, REVIEW, record)
    assert standing is not None
    return standing.state


def _rules(store: Store) -> Any:
    with store.read() as con:
        return protocols.protocol(con, REVIEW)


def flow(store: Store) -> dict[str, int]:
    with store.read() as con:
        return decisions.counts(con, REVIEW)


def upload(person: Browser, record: str, back: str = "list") -> None:
    action, fields = person.form("Add the PDF")
    files = {"file": ("paper.pdf", PDF, "application/pdf")}
    person.page = person.http.post(
        action, data={**fields, "record": record, "back": back}, files=files
    )


def test_one_has_voted_and_the_other_who_cant_get_it_goes_on(
    reviewed: Store, browser: People
) -> None:
    """The jam: the record came first for ever, and every key was refused."""
    first, second = at_full_text(reviewed, 2)
    ada, bo = browser("ada"), browser("bo")
    ada.get(FULL)
    ada.press("Include")
    bo.get(f"{FULL}?record={first}")
    page = bo.press(GET, note="our library has no access")
    assert (
        bo.page.status_code == 200
        and "<strong>Can’t get it</strong>" in page
        and "Trial 2 of" in page
    )
    assert queue(reviewed, "bo") == [second]
    assert "Nothing waits for you here" in bo.press("Include")


def test_what_one_person_cant_get_is_on_a_list_and_still_waits_for_the_other(
    reviewed: Store, browser: People
) -> None:
    """The black hole: one key took the report away from everybody, and no page told of it."""
    (record,) = at_full_text(reviewed)
    ada, bo, lena = browser("ada"), browser("bo"), browser("lena", "lead")
    bo.get(FULL)
    bo.press(GET, note="asked the author by mail")
    assert state(reviewed, record) == "open" and flow(reviewed)["not_retrieved"] == 0
    assert queue(reviewed, "ada") == [record] and queue(reviewed, "bo") == []
    for person in (ada, bo, lena, browser("cy", "adjudicator")):
        page = person.get(LIST)
        for words in (
            "Trial 1 of",
            "Doe, Jane",
            "2020",
            "doi.org/10.1000/trial1",
            "asked the author by mail",
        ):
            assert words in page
        assert "<strong>bo</strong> can’t get it" in page
    assert browser("rea", "reader").http.get(LIST).status_code == 403
    assert re.search(r"to be retrieved</a></dt><dd>1<", lena.get(f"/r/{REVIEW}"))
    assert "Reports to be retrieved: <strong>1</strong>" in ada.get("/")
    assert status.status(reviewed, now=NOW)["reviews"][0]["to_retrieve"]["sought"] == 1
    told = digests(reviewed, base_url="https://r.example.org", now=NOW, person="bo")["digests"][0]
    assert "1 report to get hold of for the team" in told["text"]
    ada.get(FULL)
    ada.press("Include")  # who has it simply carries on
    assert state(reviewed, record) == "half"


def test_a_pdf_brings_it_back_into_both_queues(reviewed: Store, browser: People) -> None:
    first, second = at_full_text(reviewed, 2)
    ada, bo = browser("ada"), browser("bo")
    for person in (ada, bo):
        person.get(f"{FULL}?record={second}")
        person.press(GET)
    assert state(reviewed, second) == "not_retrieved"
    page = ada.get(LIST)
    assert page.index("Not retrieved <small>1") < page.index("Trial 2 of")
    upload(ada, second)
    assert "Back in the queues" in ada.page.text and state(reviewed, second) == "open"
    assert queue(reviewed, "ada") == queue(reviewed, "bo") == [first, second]
    assert "paper.pdf" in bo.get(f"{FULL}?record={second}")


def test_several_pdfs_at_once_are_put_with_the_reports_that_they_are_of(
    reviewed: Store, browser: People, settings: Settings
) -> None:
    first, second = at_full_text(reviewed, 2)
    bo = browser("bo")
    for _ in (first, second):
        bo.get(FULL)
        bo.press(GET, note="not in our library")
    bo.get(LIST)
    action, fields = bo.form("Put them with their reports")
    fields.pop("files", None)
    known = pdfs.pdf(["https://doi.org/10.1000/trial1 A report of one of the trials"])
    bodies = {"known.pdf": known, "scan.pdf": pdfs.pdf([]), "page.pdf": b"<html>"}
    files = [("files", (name, body, "application/pdf")) for name, body in bodies.items()]

    page = bo.http.post(action, data=fields, files=files)

    assert page.status_code == 200
    told = page.text[page.text.index("What became of the files") :]
    assert "known.pdf</strong>: kept with" in told
    assert "its DOI stands on the first pages" in told
    assert "scan.pdf</strong>: not kept; it holds no text" in told
    assert "page.pdf</strong>: not kept; this is not a whole PDF" in told
    assert len(list(settings.full_texts.glob("*.pdf"))) == 1
    with reviewed.read() as con:
        left = [entry.report_id for entry in ops.retrieval.entries(con, _rules(reviewed))]
    assert left == [second]


def test_a_link_brings_it_back_and_is_shown_with_the_record(
    reviewed: Store, browser: People
) -> None:
    (record,) = at_full_text(reviewed)
    ada, bo = browser("ada"), browser("bo")
    bo.get(FULL)
    bo.press(GET)
    for bad in (
        "javascript:alert(1)",
        "https://user@example.org/x",
        "ftp://example.org",
        "https://a b.org",
        "",
    ):
        ada.get(LIST)
        ada.press("Add the link", link=bad)
        assert ada.page.status_code == 422 and queue(reviewed, "bo") == []
    ada.get(LIST)
    action, fields = ada.form("Add the link")
    for _ in range(2):  # sent twice it counts once
        ada.page = ada.http.post(
            action, data={**fields, "link": "https://repository.example.org/1.pdf"}
        )
        assert "Back in the queues" in ada.page.text
    assert queue(reviewed, "bo") == [record]
    assert (
        'href="https://repository.example.org/1.pdf"' in bo.get(FULL) and "says ada" in bo.page.text
    )
    assert "Nobody is looking for a report" in bo.get(LIST)


def test_undo_takes_it_back_with_what_was_typed(reviewed: Store, browser: People) -> None:
    (record,) = at_full_text(reviewed)
    bo = browser("bo")
    bo.get(FULL)
    bo.press(GET, note="no access", tags="ask authors")
    assert "Can’t get it" in bo.get(f"/r/{REVIEW}/history") and "To be retrieved" in bo.page.text
    page = bo.press("Undo")
    assert (
        "no access</textarea>" in page
        and "ask authors" in page
        and queue(reviewed, "bo") == [record]
    )
    assert "Nobody is looking for a report" in bo.get(LIST)


def test_who_can_get_it_now_says_so_on_the_list_and_stands_before_it(
    reviewed: Store, browser: People
) -> None:
    (record,) = at_full_text(reviewed)
    bo, ada = browser("bo"), browser("ada")
    bo.get(FULL)
    form = bo.form(GET)
    bo.press(GET)
    late = bo.http.post(form[0], data={**form[1], "form": "0" * 32, "verdict": "include"})
    assert late.status_code == 409, "who can't get a report can't vote on it either"
    assert HAVE not in ada.get(LIST)
    bo.get(LIST)
    assert "Trial 1 of" in bo.press(HAVE) and queue(reviewed, "bo") == [record]
    bo.press("Include")
    assert state(reviewed, record) == "half"


def test_the_lead_makes_it_final_and_opens_it_again(reviewed: Store, browser: People) -> None:
    (record,) = at_full_text(reviewed)
    bo, lena = browser("bo"), browser("lena", "lead")
    bo.get(FULL)
    bo.press(GET)
    action, fields = f"{LIST}/settle", {}
    assert FINAL not in bo.get(LIST)
    assert bo.http.post(action, data=fields).status_code in (403, 422)
    lena.get(LIST)
    lena.press(FINAL)
    assert state(reviewed, record) == "not_retrieved" and queue(reviewed, "ada") == []
    assert (
        flow(reviewed)["not_retrieved"] == 1
        and "<strong>lena</strong> made it final" in lena.page.text
    )
    with reviewed.read() as con:
        assert con.execute("SELECT cause FROM outbox ORDER BY seq DESC LIMIT 1").fetchall()[0][
            0
        ] == ("a report was not retrieved")
    lena.press(AGAIN)
    assert (
        queue(reviewed, "ada") == queue(reviewed, "bo") == [record]
        and flow(reviewed)["not_retrieved"] == 0
    )
    with pytest.raises(Refused, match="not on the list"):
        ops.retrieval.give_up(
            reviewed, id="x", review=REVIEW, record=record, person="lena", now=NOW
        )


def test_it_is_final_when_as_many_cant_get_it_as_there_are_votes(reviewed: Store) -> None:
    (record,) = at_full_text(reviewed)
    for person, then in (("ada", "open"), ("ada", "open"), ("bo", "not_retrieved")):
        assert decide(reviewed, record, person, "not_retrieved", stage="full_text")["state"] == then
    assert decide(reviewed, record, "ada", "withdrawn", stage="full_text")["state"] == "open"
    assert queue(reviewed, "ada") == [record] and queue(reviewed, "bo") == []


def test_votes_that_are_all_in_settle_it_whoever_cant_get_it(
    reviewed: Store, browser: People
) -> None:
    (record,) = at_full_text(reviewed)
    decide(reviewed, record, "cy", "not_retrieved", stage="full_text")
    for person in ("ada", "bo"):
        decide(reviewed, record, person, "include", stage="full_text")
    assert state(reviewed, record) == "included"
    assert "Nobody is looking for a report" in browser("cy").get(LIST)


@pytest.mark.parametrize("verdict", ["include", "exclude"])
def test_a_report_on_which_somebody_voted_looks_like_any_other(
    reviewed: Store, browser: People, verdict: str
) -> None:
    records = at_full_text(reviewed, 3)
    for record in records[:2]:
        decide(reviewed, record, "bo", "not_retrieved", stage="full_text", note="no access")
    people = [browser("bo"), browser("lena", "lead"), browser("cy", "adjudicator")]

    def shown() -> list[str]:
        return [
            re.sub(r'name="form" value="[0-9a-f]{32}"', "", person.get(LIST)) for person in people
        ]

    before = shown()
    decide(
        reviewed,
        records[0],
        "ada",
        verdict,
        stage="full_text",
        reason=None if verdict == "include" else "wrong-design",
    )
    assert shown() == before


def test_a_file_of_decisions_and_the_old_verdict_put_it_on_the_list(reviewed: Store) -> None:
    (record,) = at_full_text(reviewed)
    row = {
        "record": record,
        "stage": "full_text",
        "reviewer": "ada",
        "verdict": "not_retrieved",
        "reason": "No PDF",
    }
    for known in (False, True):
        done = ops.exchange.take_decision(reviewed, id="file-1", review=REVIEW, row=row, now=NOW)
        assert (done["known"], done["state"]) == (known, "open")
    with reviewed.read() as con:
        (entry,) = retrieval.listing(con, REVIEW, 2)
        assert [(one.person, one.note) for one in entry.requests] == [
            ("ada", "reason there: No PDF")
        ]
        assert con.execute(
            "SELECT count(*) FROM decision WHERE verdict = 'not_retrieved'"
        ).fetchall() == [(0,)]
    vote_of_file = {**row, "verdict": "include", "reason": None}
    ops.exchange.take_decision(reviewed, id="file-2", review=REVIEW, row=vote_of_file, now=NOW)
    with reviewed.read() as con:
        assert retrieval.listing(con, REVIEW, 2) == [], "who decides has it"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"reason": "wrong-design"}, "a reason belongs to an exclusion"),
        ({"stage": "title_abstract"}, "full-text verdict"),
        ({"role": "adjudication"}, "must be include or exclude"),
    ],
)
def test_what_is_no_such_report_is_refused(reviewed: Store, more: dict[str, Any], why: str) -> None:
    (record,) = at_full_text(reviewed)
    with pytest.raises(Refused, match=why):
        decide(reviewed, record, "ada", "not_retrieved", **{"stage": "full_text", **more})
    decide(reviewed, record, "ada", "include", stage="full_text")
    with pytest.raises(Refused, match="so you had it"):
        decide(reviewed, record, "ada", "not_retrieved", stage="full_text")


def test_a_long_wait_is_an_alarm(reviewed: Store) -> None:
    (record,) = at_full_text(reviewed)
    decide(reviewed, record, "ada", "not_retrieved", stage="full_text")

    def alarms(days: int) -> list[str]:
        told = status.status(reviewed, now=NOW + timedelta(days=days))["reviews"][0]["alarms"]
        return [alarm for alarm in told if "to be retrieved" in alarm]

    assert alarms(29) == [] and "the oldest after 31" in alarms(31)[0]
    ops.retrieval.give_up(reviewed, id="x", review=REVIEW, record=record, person="lena", now=NOW)
    assert alarms(31) == []


def test_a_report_that_is_decided_again_begins_afresh(reviewed: Store) -> None:
    from livereview.store import tasks

    (record,) = at_full_text(reviewed)
    for person in ("ada", "bo"):
        decide(reviewed, record, person, "not_retrieved", stage="full_text")
    reviewed.write(
        lambda con: tasks.reopen(con, "r", REVIEW, record, "full_text", "lena", "a new look", NOW)
    )
    assert state(reviewed, record) == "open" and queue(reviewed, "ada") == [record]


# What was written before


def old_world(settings: Settings) -> tuple[str, str, bytes]:
    """A database as it was before migration 26, in which one person's verdict was final and
    published.
    """
    with Store(settings.database, settings.memory, settings.threads) as store:
        surveil.register(store, text=(DATA / "review.toml").read_text(encoding="utf-8"), now=NOW)
        lost, read = at_full_text(store, 2)
        for person in ("ada", "bo"):
            decide(store, read, person, "include", stage="full_text")
        store.write(
            lambda con: con.execute(
                """INSERT INTO decision (id, review, record_id, record_version, stage, reviewer, role, verdict, note,
                    criteria_version, made)
                VALUES ('old', ?, ?, 1, 'full_text', 'ada', 'vote', 'not_retrieved', 'no access', '1', ?)""",
                [REVIEW, lost, NOW],
            )
        )
        store.write(lambda con: standings.refresh(con, [lost]))
        publish.open_review(store, id="opening", review=REVIEW, by="lena", now=NOW)
        publish.publish(store, review=REVIEW, folder=settings.site, now=NOW)
        page = (settings.site / REVIEW / "latest" / "prisma.json").read_bytes()
        assert b'"not_retrieved":1' in page.replace(b" ", b"")

        def back(con: Any) -> None:
            con.execute("DROP VIEW retrieval_request")
            con.execute("DROP VIEW retrieval_final")
            con.execute("DROP VIEW retrieval_step")
            con.execute("DROP TABLE retrieval")
            con.execute("DELETE FROM migration WHERE number = 26")

        store.write(back)
    return lost, read, page


def test_old_verdicts_become_requests_and_old_versions_keep_their_bytes(settings: Settings) -> None:
    lost, _, page = old_world(settings)
    with Store(settings.database, settings.memory, settings.threads) as store:
        assert (
            state(store, lost) == "open"
            and queue(store, "bo") == [lost]
            and queue(store, "ada") == []
        )
        with store.read() as con:
            (entry,) = retrieval.listing(con, REVIEW, 2)
            assert [(one.person, one.note) for one in entry.requests] == [("ada", "no access")]
        told = as_of.as_of(
            store, review=REVIEW, moment=NOW, folder=settings.site, now=NOW + timedelta(days=1)
        )
        assert (Path(told["folder"]) / "prisma.json").read_bytes() == page
        for name in ("index.html", "summary.json", "SHA256SUMS"):
            latest = settings.site / REVIEW / "latest" / name
            assert (Path(told["folder"]) / name).read_bytes() == latest.read_bytes()
        publish.publish(store, review=REVIEW, folder=settings.site, now=NOW + timedelta(days=1))
        now = (settings.site / REVIEW / "latest" / "prisma.json").read_bytes().replace(b" ", b"")
        assert b'"not_retrieved":0' in now and b'"awaiting_full_text":1' in now
        decide(store, lost, "ada", "withdrawn", stage="full_text", id="undo")
        assert queue(store, "ada") == [lost]


# One reading of "have I answered"

PEOPLE = ("ada", "bo", "cy")
ACTS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(
            [
                "include",
                "exclude",
                "not_retrieved",
                "withdrawn",
                "arrived",
                "final",
                "opened",
                "reopen",
            ]
        ),
        st.integers(0, 1),
    ),
    max_size=10,
)


@given(ACTS)
@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_queue_and_the_room_read_one_rule(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str, int]]
) -> None:
    """Whatever happened: who is shown a report can act on it, and who has answered is not shown it."""
    from livereview.store import tasks

    with Store(tmp_path_factory.mktemp("w") / "a.duckdb", "500MB", 1) as store:
        surveil.register(store, text=(DATA / "review.toml").read_text(encoding="utf-8"), now=NOW)
        records = at_full_text(store, 2)
        for number, (person, act, which) in enumerate(acts):
            key, record = f"act-{number}", records[which]
            step = retrieval.Step(key, REVIEW, record, act, person, link="https://a.example.org")
            try:
                if act in ("arrived", "final", "opened"):
                    ops.retrieval.act(store, step, NOW)
                elif act == "reopen":
                    store.write(
                        lambda con, key=key, record=record: tasks.reopen(
                            con, key, REVIEW, record, "full_text", "lena", "again", NOW
                        )
                    )
                else:
                    reason = "wrong-design" if act == "exclude" else None
                    decide(store, record, person, act, stage="full_text", id=key, reason=reason)
            except Refused:
                pass
        for person in PEOPLE:
            shown = queue(store, person)
            for record in records:
                with store.read() as con:
                    given = decisions.on_report(con, REVIEW, record, "full_text")
                    ballots = [
                        Ballot(*(one[k] for k in ("stage", "reviewer", "role", "verdict", "seq")))
                        for one in given
                    ]
                    sought = retrieval.on_report(con, REVIEW, record)
                takes_votes = state(store, record) in ("open", "half")
                assert (record in shown) == (
                    takes_votes and not has_answered(person, ballots, sought)
                )
                try:
                    decide(
                        store,
                        record,
                        person,
                        "include",
                        stage="full_text",
                        id=f"try-{person}-{record}",
                        waiting=True,
                    )
                except Stale:
                    assert record not in shown
                else:
                    assert record in shown
                    decide(
                        store,
                        record,
                        person,
                        "withdrawn",
                        stage="full_text",
                        id=f"back-{person}-{record}",
                    )

        def same(con: Any) -> None:
            kept = con.execute("SELECT * FROM screening_state ORDER BY ALL").fetchall()
            standings.refresh_all(con)
            assert kept == con.execute("SELECT * FROM screening_state ORDER BY ALL").fetchall()

        store.write(same)
