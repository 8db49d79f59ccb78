"""What is said again: a file belongs to who sends it and to its review, and A after B after A
brings A back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import files
from livereview.client import Local
from livereview.exchange.repeats import told_before
from livereview.ops import evidence, exchange, screen, surveil
from livereview.settings import Settings
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import form, include
from tests.test_ops_as_of import extract
from tests.test_web_guard import People

HEAD = "record,stage,reviewer,verdict,note"


@pytest.fixture
def client(settings: Settings, protocol: str) -> Iterator[Local]:
    opened = Local(settings)
    surveil.register(opened.store, text=protocol, now=NOW)
    yield opened
    opened.close()


def table(folder: Path, *rows: str, name: str = "decisions.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((HEAD, *rows)) + "\n")
    return path


def send(client: Local, path: Path, review: str = REVIEW, **more: Any) -> tuple[int, int, int]:
    """(written, known, refused)."""
    report = files.decide(client, review, path, NOW, lambda: None, **more)
    return report.written, report.known, len(report.refused)


def verdicts(store: Store, review: str = REVIEW) -> dict[str, str]:
    """The votes in force, by person."""
    with store.read() as con:
        return dict(
            con.execute(
                "SELECT reviewer, verdict FROM current_decision WHERE review = ?", [review]
            ).fetchall()
        )


# Decisions


def test_include_exclude_include_by_three_files_is_an_include(
    client: Local, tmp_path: Path
) -> None:
    found(client.store, article(1))
    yes = table(tmp_path, "10.1000/trial1,title_abstract,ada,include,", name="yes.csv")
    no = table(tmp_path, "10.1000/trial1,title_abstract,ada,exclude,", name="no.csv")
    for path, verdict in ((yes, "include"), (no, "exclude"), (yes, "include")):
        assert send(client, path) == (1, 0, 0)
        assert verdicts(client.store) == {"ada": verdict}
    assert send(client, yes) == (0, 1, 0), "nothing was said since"


def test_the_same_bytes_sent_for_another_person_are_another_decision(
    client: Local, tmp_path: Path
) -> None:
    found(client.store, article(1))
    path = tmp_path / "asreview.csv"
    path.write_text("title,doi,asreview_label\nA trial,10.1000/trial1,1\n")
    for written, reviewer in (((1, 0, 0), "ann"), ((1, 0, 0), "bob"), ((0, 1, 0), "ann")):
        assert send(client, path, stage="title_abstract", reviewer=reviewer) == written
    assert verdicts(client.store) == {"ann": "include", "bob": "include"}


def test_the_same_file_in_another_review_is_another_s(
    client: Local, protocol: str, tmp_path: Path
) -> None:
    surveil.register(client.store, text=protocol.replace(REVIEW, "second-review"), now=NOW)
    found(client.store, article(1))
    found(client.store, article(1), review="second-review", search="s2")
    path = table(tmp_path, "10.1000/trial1,title_abstract,ada,include,")
    assert send(client, path) == (1, 0, 0)
    assert send(client, path, "second-review") == (1, 0, 0)
    assert verdicts(client.store) == verdicts(client.store, "second-review") == {"ada": "include"}
    assert send(client, path, "second-review") == (0, 1, 0)


def test_the_same_file_from_another_person_is_theirs(client: Local, tmp_path: Path) -> None:
    found(client.store, article(1))
    path = tmp_path / "asreview.csv"
    path.write_text("title,doi,asreview_label\nTrial 1 of mentoring,10.1000/trial1,1\n")
    for person in ("ada", "bo"):
        assert send(client, path, stage="title_abstract", reviewer=person) == (1, 0, 0)
        assert send(client, path, stage="title_abstract", reviewer=person) == (0, 1, 0)
    assert verdicts(client.store) == {"ada": "include", "bo": "include"}


def test_a_file_that_changes_its_mind_is_known_as_a_whole(client: Local, tmp_path: Path) -> None:
    found(client.store, article(1))
    path = table(
        tmp_path,
        "10.1000/trial1,title_abstract,ada,include,",
        "10.1000/trial1,title_abstract,ada,exclude,",
        "10.1000/trial1,title_abstract,ada,withdrawn,",
        "10.1000/trial1,title_abstract,ada,include,at last",
    )
    assert send(client, path) == (4, 0, 0)
    assert send(client, path) == (0, 4, 0)
    other = table(tmp_path, "10.1000/trial1,title_abstract,ada,exclude,", name="other.csv")
    assert send(client, other) == (1, 0, 0)
    assert send(client, path)[0] > 0 and verdicts(client.store) == {"ada": "include"}


def test_a_word_of_one_s_own_since_then_is_answered_by_the_file(
    client: Local, tmp_path: Path
) -> None:
    (one,) = found(client.store, article(1))
    path = table(tmp_path, "10.1000/trial1,title_abstract,ada,include,")
    send(client, path)
    word: dict[str, Any] = {
        "review": REVIEW,
        "record": one,
        "stage": "title_abstract",
        "reviewer": "ada",
        "now": NOW,
    }
    screen.decide(client.store, id="room", verdict="withdrawn", **word)
    assert send(client, path) == (1, 0, 0) and verdicts(client.store) == {"ada": "include"}


def test_two_records_of_one_report_are_one_word(client: Local, tmp_path: Path) -> None:
    one, two = found(client.store, article(1), article(2))
    screen.judge(client.store, id="j", left=one, right=two, verdict="same", person="ada", now=NOW)
    path = table(
        tmp_path, f"{one},title_abstract,ada,include,", f"{two},title_abstract,ada,exclude,"
    )
    send(client, path)
    send(client, path)
    assert verdicts(client.store) == {"ada": "exclude"}
    last = table(tmp_path, f"{two},title_abstract,ada,exclude,", name="last.csv")
    assert send(client, last) == (0, 1, 0)


def test_the_same_word_under_new_criteria_is_said_again(
    client: Local, protocol: str, tmp_path: Path
) -> None:
    found(client.store, article(1))
    path = table(tmp_path, "10.1000/trial1,title_abstract,ada,include,")
    send(client, path)
    surveil.register(
        client.store, text=protocol.replace('version = "2026-01"', 'version = "2026-02"'), now=NOW
    )
    assert send(client, path) == (1, 0, 0)


def test_a_request_that_is_sent_again_is_one_whatever_was_said_since(client: Local) -> None:
    found(client.store, article(1))
    row = {
        "record": "10.1000/trial1",
        "stage": "title_abstract",
        "reviewer": "ada",
        "verdict": "include",
    }
    asked: dict[str, Any] = {"review": REVIEW, "now": NOW}
    assert not exchange.take_decision(client.store, id="a", row=row, **asked)["known"]
    assert not exchange.take_decision(
        client.store, id="b", row={**row, "verdict": "exclude"}, **asked
    )["known"]
    assert exchange.take_decision(client.store, id="a", row=row, **asked)["known"]
    assert verdicts(client.store) == {"ada": "exclude"}


def test_the_lead_s_page_knows_a_file_by_what_it_says_too(reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    lena = browser("lena", "lead")
    told = []
    for verdict in ("include", "exclude", "include", "include"):
        lena.get(f"/r/{REVIEW}/files")
        action, fields = lena.form("Bring them in")
        body = f"{HEAD}\n10.1000/trial1,title_abstract,ada,{verdict},\n".encode()
        page = lena.http.post(action, data=fields, files={"file": ("d.csv", body)}).text
        told.append("<strong>1</strong> decisions written" in page)
    assert told == [True, True, True, False] and verdicts(reviewed) == {"ada": "include"}


# Forms, ratings, protocols, exports


def _extracted(store: Store) -> tuple[str, str]:
    """(who, label) of the form that holds."""
    with store.read() as con:
        (row,) = con.execute(
            "SELECT extractor, data FROM current_extraction WHERE review = ?", [REVIEW]
        ).fetchall()
    return row[0], json.loads(row[1])["label"]


def test_forms_come_back_and_are_known_while_they_hold(client: Local, tmp_path: Path) -> None:
    (one,) = found(client.store, article(1))
    include(client.store, one)
    paths = {}
    for label in "AB":
        paths[label] = tmp_path / f"{label}.json"
        paths[label].write_text(json.dumps(form(label=label)))
    for person, label in (
        ("ada", "A"),
        ("ada", "B"),
        ("ada", "A"),
        ("bo", "A"),
        ("bo", "B"),
        ("ada", "A"),
    ):
        (done,) = files.extract(client, REVIEW, paths[label], person, NOW)
        assert not done.known and _extracted(client.store) == (person, label)
        (again,) = files.extract(client, REVIEW, paths[label], person, NOW)
        assert again.known, (person, label)


def test_a_form_puts_its_report_back_into_its_study(client: Local, tmp_path: Path) -> None:
    (one,) = found(client.store, article(1))
    include(client.store, one)
    path = tmp_path / "form.json"
    path.write_text(json.dumps(form()))
    files.extract(client, REVIEW, path, "ada", NOW)
    evidence.group(client.store, id="g", review=REVIEW, record=one, study=None, by="ada", now=NOW)
    (done,) = files.extract(client, REVIEW, path, "ada", NOW)
    assert not done.known
    with client.store.read() as con:
        assert evidence.evidence.reports_of(con, REVIEW) == {"doe-2020": [one]}


def test_a_map_s_sheets_come_back_as_well(client: Local, tmp_path: Path) -> None:
    (one,) = found(client.store, article(1))
    include(client.store, one)
    plan = tmp_path / "map.toml"
    plan.write_text(
        '[studies.doe-2020]\nreports = ["10.1000/trial1"]\n'
        '[[tables]]\nkind = "study"\nfile = "sheet.csv"\nheading = 1\nstudy = "id"\nfields = { label = "name" }\n'
    )
    written = []
    for name in ("A", "B", "A", "A"):
        (tmp_path / "sheet.csv").write_text(f"id,name\ndoe-2020,{name}\n")
        taken = files.extract_mapped(client, REVIEW, plan, tmp_path, "ada", NOW)
        assert not taken.problems
        written += [not done.known for done in taken.written]
        assert _extracted(client.store) == ("ada", name)
    assert written == [True, True, True, False]


def test_ratings_come_back(reviewed: Store) -> None:
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    extract(reviewed, 1, NOW, "unclear")

    def rate(by: str, level: str, id: str) -> bool:
        answers = dict.fromkeys(("imprecision", "start", "high"), "One small study, and we say so.")
        data = {"outcome": "attendance", "start": level, "reasons": [], "answers": answers}
        return bool(
            evidence.rate(reviewed, id=id, review=REVIEW, data=data, by=by, now=NOW)["known"]
        )

    acts = [
        ("ada", "high"),
        ("ada", "low"),
        ("ada", "high"),
        ("bo", "low"),
        ("ada", "high"),
        ("ada", "high"),
    ]
    assert [rate(*act, id=str(number)) for number, act in enumerate(acts)] == [False] * 5 + [True]
    assert rate("ada", "low", "1"), "a request that is sent again"
    with reviewed.read() as con:
        (holds,) = evidence.evidence.ratings(con, REVIEW)
    assert holds.start == "high"


def test_protocols_come_back(reviewed: Store, protocol: str) -> None:
    other = protocol.replace("A. Lead", "B. Lead")
    for text in (other, protocol, other, protocol, protocol):
        surveil.register(reviewed, text=text, now=NOW)
        assert surveil.text_of(reviewed, review=REVIEW, now=NOW)["text"] == text
    with reviewed.read() as con:
        assert con.execute("SELECT count(*) FROM protocol").fetchall() == [(5,)]


def test_a_file_that_was_read_as_another_kind_can_be_read_again(reviewed: Store) -> None:
    body = b"PT\tAU\tTI\tSO\tPY\tDI\tUT\nJ\tDoe, J\tMentoring at school\tCare\t2020\t10.1000/x.1\tWOS:1\n"
    asked: dict[str, Any] = {"review": REVIEW, "name": "export.txt", "body": body, "now": NOW}
    for source in ("csv", "wos"):
        done = [surveil.import_file(reviewed, source=source, **asked) for _ in range(2)]
        assert [one["known"] for one in done] == [False, True] and done[0]["found"] == 1


# The rule


@given(
    st.lists(st.sampled_from("AB"), max_size=4),
    st.lists(st.sampled_from("AB"), min_size=1, max_size=4),
)
def test_after_a_file_its_last_word_is_the_last_and_again_it_changes_nothing(
    before: list[str], words: list[str]
) -> None:
    def sent(history: list[str]) -> list[str]:
        told = list(history)
        for place, word in enumerate(words):
            if not told_before(told, words, place):
                told.append(word)
        return told

    once = sent(before)
    assert once[-1] == words[-1]
    assert sent(once) == once
    assert once[-len(words) :] == words


def test_a_file_undoes_what_the_team_has_settled_only_where_one_says_so(
    client: Local, tmp_path: Path
) -> None:
    (record,) = found(client.store, article(1))
    include(client.store, record)
    path = tmp_path / "decisions.csv"
    path.write_text(
        "record,stage,reviewer,verdict,reason\n10.1000/trial1,full_text,ada,exclude,wrong-design\n"
    )
    later = NOW + timedelta(days=1)

    report = files.decide(client, REVIEW, path, later, lambda: None)
    assert report.written == 0 and "--change-settled" in report.refused[0][1]
    with client.store.read() as con:
        assert [row[0] for row in con.execute("SELECT report_id FROM included").fetchall()] == [
            record
        ]

    report = files.decide(client, REVIEW, path, later, lambda: None, change_settled=True)
    assert (report.written, report.refused) == (1, ())
    with client.store.read() as con:
        assert con.execute("SELECT report_id FROM included").fetchall() == []
