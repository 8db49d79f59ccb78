from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from livereview.ops import protocols, surveil
from livereview.settings import Settings
from livereview.store import queues
from livereview.store.open import Store
from livereview.store.queues import Candidate, Head
from livereview.web import leases as leases_module
from livereview.web.app import create
from livereview.web.leases import LASTS, Journal, Leases, Question
from tests.conftest import NOW, REVIEW, Browser, article, found, secret_of

PLACE = (REVIEW, "title_abstract")
TA = f"/r/{REVIEW}/screen/title_abstract"
VOTES = 2
People = Callable[..., Browser]


@pytest.fixture(autouse=True)
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases count in a crowd only (`screening.order`); here a few people are one."""
    monkeypatch.setattr("livereview.screening.order.CROWD", 0)


def queue_of(*reports: str, votes: int = 0) -> Callable[[Question], Head]:
    """A queue in which these wait, in their order."""

    def look(question: Question) -> Head:
        waiting = tuple(Candidate(report, votes) for report in reports)
        named = tuple(one for one in waiting if one.report_id in question.wanted)
        return Head(waiting[: question.most], named, len(waiting), 0)

    return look


LONG = queue_of(*(f"r{number}" for number in range(100)))


def test_a_report_goes_to_as_many_people_as_it_needs_votes_and_then_to_nobody_else() -> None:
    leases = Leases()
    shown = [
        leases.take(PLACE, person, NOW, VOTES, LONG).report
        for person in ("ada", "bo", "cy", "dee", "eve")
    ]
    assert shown == ["r0", "r0", "r1", "r1", "r2"]
    short = queue_of("r0", "r1", "r2")
    assert leases.take(PLACE, "finn", NOW, VOTES, short).report == "r2"
    nothing = leases.take(PLACE, "gil", NOW, VOTES, short)
    assert nothing.report is None and nothing.head.waiting == 3


def test_a_vote_that_was_cast_counts_like_a_screen_that_shows_it() -> None:
    leases, half = Leases(), queue_of("half", "next", votes=1)
    assert leases.take(PLACE, "ada", NOW, VOTES, half).report == "half"
    assert leases.take(PLACE, "bo", NOW, VOTES, half).report == "next"


def test_people_keep_what_they_have_until_they_decide_skip_sign_out_or_it_expires() -> None:
    leases = Leases()
    assert leases.take(PLACE, "ada", NOW, 1, LONG).report == "r0"
    first_elsewhere = queue_of("new", "r0", "r1")
    assert leases.take(PLACE, "ada", NOW, 1, first_elsewhere).report == "r0"
    assert leases.take(PLACE, "bo", NOW, 1, LONG).report == "r1"
    assert leases.take((REVIEW, "full_text"), "bo", NOW, 1, LONG).report == "r0"

    leases.decided(PLACE, "bo", "r1")
    # this queue has not heard of the decision
    assert leases.take(PLACE, "bo", NOW, 1, LONG).report == "r1"
    leases.skip(PLACE, "bo", "r1", NOW)
    assert leases.take(PLACE, "bo", NOW, 1, LONG).report == "r2"
    leases.leave("bo")
    assert leases.take(PLACE, "cy", NOW, 1, LONG).report == "r1"
    late = NOW + LASTS["title_abstract"] + timedelta(seconds=1)
    assert leases.take(PLACE, "dee", late, 1, LONG).report == "r0"
    assert leases.take(PLACE, "ada", late, 1, LONG).report == "r1"  # not what dee has now


def test_a_report_that_waits_no_more_is_not_kept() -> None:
    leases = Leases()
    leases.take(PLACE, "ada", NOW, VOTES, LONG)
    assert leases.take(PLACE, "ada", NOW, VOTES, queue_of("r5")).report == "r5"
    assert leases.take(PLACE, "ada", NOW, VOTES, queue_of()).report is None


def test_what_is_asked_for_by_name_is_given_while_there_is_room() -> None:
    leases = Leases()
    asked = leases.take(PLACE, "ada", NOW, 1, LONG, "r7")
    assert (asked.report, asked.asked) == ("r7", True)
    refused = leases.take(PLACE, "bo", NOW, 1, LONG, "r7")
    assert (refused.report, refused.asked) == ("r0", False)
    leases.give(PLACE, "bo", "r7", NOW)
    assert leases.take(PLACE, "bo", NOW, 2, LONG, "r7").report == "r7"


def test_what_is_asked_again_of_one_person_has_room_whoever_else_has_it() -> None:
    leases = Leases()
    again = Head((Candidate("r0", 0, again=True), Candidate("r1", 0)), (), 2, 0)
    assert leases.take(PLACE, "ada", NOW, 1, lambda question: again).report == "r0"
    assert leases.take(PLACE, "bo", NOW, 1, lambda question: again).report == "r0"


def test_nobody_skips_what_is_not_before_them() -> None:
    leases, three = Leases(), queue_of("r0", "r1", "r2")
    assert leases.take(PLACE, "ada", NOW, VOTES, three).report == "r0"
    leases.skip(PLACE, "ada", "r1", NOW)
    leases.skip(PLACE, "bo", "r0", NOW)
    assert leases.holders(PLACE, "r0", NOW) == 1
    leases.skip(PLACE, "ada", "r0", NOW)
    assert leases.take(PLACE, "ada", NOW, VOTES, three).report == "r1"
    assert leases.take(PLACE, "bo", NOW, VOTES, three).report == "r0"


def test_what_was_skipped_comes_after_everything_else_in_the_order_of_the_skips() -> None:
    leases, three = Leases(), queue_of("r0", "r1", "r2")
    for expected in ("r0", "r1", "r2", "r0", "r1"):
        assert leases.take(PLACE, "ada", NOW, VOTES, three).report == expected
        leases.skip(PLACE, "ada", expected, NOW)
    leases.decided(PLACE, "ada", "r2")
    assert leases.take(PLACE, "ada", NOW, VOTES, queue_of("r0", "r1")).report == "r0"
    # the skips of one person are theirs
    assert leases.take(PLACE, "bo", NOW, VOTES, three).report == "r0"


def test_a_decision_that_comes_between_look_and_choice_is_not_forgotten() -> None:
    """Who looked before it was written sees a report with too few votes.

    Its lease has ended meanwhile.
    """
    leases = Leases()
    leases.take(PLACE, "ada", NOW, VOTES, LONG)
    leases.take(PLACE, "bo", NOW, VOTES, LONG)

    def slow(question: Question) -> Head:
        before = LONG(question)
        leases.decided(PLACE, "ada", "r0")
        return before

    assert leases.take(PLACE, "cy", NOW, VOTES, slow).report == "r1"
    assert leases._decided == [] and leases._looking == {}


def test_fifty_threads_that_take_at_once_never_exceed_the_votes() -> None:
    """Each takes, decides and takes again, as fast as it can.

    At no moment is a report in too many hands.
    """
    leases, lock = Leases(), threading.Lock()
    votes: Counter[str] = Counter()
    by_person: dict[str, set[str]] = {}
    most, ready = 0, threading.Barrier(50)

    def work(person: str) -> None:
        nonlocal most
        mine = by_person.setdefault(person, set())

        def look(question: Question) -> Head:
            with lock:
                open_ones = [
                    f"r{n}" for n in range(400) if votes[f"r{n}"] < VOTES and f"r{n}" not in mine
                ]
                waiting = tuple(Candidate(report, votes[report]) for report in open_ones)
            named = tuple(one for one in waiting if one.report_id in question.wanted)
            return Head(waiting[: question.most], named, len(waiting), 0)

        ready.wait(30)
        for _ in range(8):
            report = leases.take(PLACE, person, NOW, VOTES, look).report
            if report is None:
                return
            with lock:
                most = max(most, votes[report] + leases.holders(PLACE, report, NOW))
                assert votes[report] < VOTES
                votes[report] += 1
                mine.add(report)
                leases.decided(PLACE, person, report)

    with ThreadPoolExecutor(50) as pool:
        for job in [pool.submit(work, f"p{number}") for number in range(50)]:
            job.result(60)
    assert max(votes.values()) == VOTES and votes.total() == 400
    assert most == VOTES


# Restarts


def test_a_restart_keeps_leases_and_skips(tmp_path: Path) -> None:
    path = tmp_path / "leases"
    before = Leases(Journal(path))
    for person in ("ada", "bo", "cy"):
        before.take(PLACE, person, NOW, 1, LONG)
    before.skip(PLACE, "bo", "r1", NOW)
    before.decided(PLACE, "cy", "r2")
    with path.open("a") as file:
        file.write('{"review": "small-rev')  # the line that was being written
    after = Leases(Journal(path))
    assert after.take(PLACE, "dee", NOW, 1, LONG).report == "r1"
    assert after.take(PLACE, "ada", NOW, 1, LONG).report == "r0"
    assert after.take(PLACE, "bo", NOW, 1, queue_of("r1", "r2")).report == "r2"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_does_not_grow_with_every_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases_module, "LINES", 50)
    path = tmp_path / "leases"
    leases = Leases(Journal(path))
    for number in range(500):
        report = leases.take(PLACE, f"p{number % 7}", NOW, VOTES, LONG).report
        assert report
        leases.decided(PLACE, f"p{number % 7}", report)
    assert len(path.read_text().splitlines()) <= 51
    old = leases.take(PLACE, "ada", NOW, VOTES, LONG).report
    Leases(Journal(path)).take(PLACE, "bo", NOW + timedelta(days=2), VOTES, LONG)
    again = Leases(Journal(path))
    assert [json.loads(line)["person"] for line in path.read_text().splitlines()] == ["bo"]
    assert old and again.holders(PLACE, old, NOW + timedelta(days=2)) <= 1


@contextmanager
def no_writing(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written, even by root: its name is a file's for a while."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way")
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


def test_a_disk_that_takes_nothing_keeps_nobody_from_their_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    leases = Leases(Journal(folder / "leases"))
    with no_writing(folder):
        assert leases.take(PLACE, "ada", NOW, VOTES, LONG).report == "r0"
    assert "can't be written" in caplog.text


def test_a_restart_of_the_owner_gives_everybody_the_record_that_they_have(
    reviewed: Store, settings: Settings, browser: People, protocol: str
) -> None:
    surveil.register(reviewed, text=protocol.replace("votes = 2", "votes = 1"), now=NOW)
    found(reviewed, *(article(number) for number in range(1, 6)))
    shown = {}
    for name in ("ada", "bo"):
        browser(name).get(TA)
    # the old one is never asked again
    app = create(reviewed, settings, token="t", clock=lambda: NOW)
    for name in ("bo", "ada"):
        person = Browser(app, secret_of(name))
        person.get(TA)
        shown[name] = person.form("Include")[1]["record"]
        person.http.close()
    with reviewed.read() as con:
        waiting = queues.waiting_for(con, protocols.protocol(con, REVIEW), "cy", "title_abstract")
    assert [shown["ada"], shown["bo"]] == waiting[:2]
    cy = browser("cy")
    cy.get(TA)
    assert cy.form("Include")[1]["record"] == waiting[2]


# In the room


def test_a_skipped_record_stays_skipped_after_a_reload_and_comes_back_last(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), article(2), article(3))
    ada = browser("ada")
    ada.get(TA)
    record = ada.form("Include")[1]["record"]
    assert f'href="{TA}?skip={record}"' in ada.page.text
    for address in (f"{TA}?skip={record}", f"{TA}?skip={record}", TA):
        assert "Trial 2 of" in ada.get(address)
    assert "Trial 3 of" in ada.press("Include")
    page = ada.press("Include")
    assert "Trial 1 of" in page and "Skip it for now" not in page


def test_who_finds_everything_in_other_hands_is_told_so_and_gets_it_later(
    reviewed: Store, browser: People, protocol: str
) -> None:
    surveil.register(reviewed, text=protocol.replace("votes = 2", "votes = 1"), now=NOW)
    found(reviewed, article(1))
    ada, bo = browser("ada"), browser("bo")
    assert "Trial 1 of" in ada.get(TA)
    page = bo.get(TA)
    assert "on other people" in page and "<strong>1</strong> waiting for you" in page
    ada.press("Sign out")
    assert "Trial 1 of" in bo.get(TA)


def test_an_undone_record_comes_back_to_who_undid_it(
    reviewed: Store, browser: People, protocol: str
) -> None:
    surveil.register(reviewed, text=protocol.replace("votes = 2", "votes = 1"), now=NOW)
    found(reviewed, article(1), article(2), article(3))
    ada, bo = browser("ada"), browser("bo")
    assert "Trial 1 of" in ada.get(TA) and "Trial 2 of" in bo.get(TA)
    assert "Trial 3 of" in ada.press("Exclude")
    assert "Trial 1 of" in ada.press("Undo")
    bo.press("Include")
    assert "Trial 3 of" in bo.page.text


def test_many_people_who_decide_as_fast_as_they_can_are_never_refused(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, *(article(number) for number in range(1, 41)))
    people = [browser(f"p{number}") for number in range(6)]

    def work(person: Browser) -> list[int]:
        answers = []
        person.get(TA)
        while "Nothing waits" not in person.page.text and "on other people" not in person.page.text:
            person.press("Include")
            answers.append(
                person.page.history[0].status_code
                if person.page.history
                else person.page.status_code
            )
        return answers

    with ThreadPoolExecutor(6) as pool:
        answers = [
            status
            for job in [pool.submit(work, one) for one in people]
            for status in job.result(120)
        ]
    assert set(answers) == {303} and len(answers) == 80
    with reviewed.read() as con:
        assert con.execute("SELECT DISTINCT stage, state FROM screening_state").fetchall() == [
            ("full_text", "open")
        ]
