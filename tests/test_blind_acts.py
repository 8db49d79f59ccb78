"""What an act would do, and what it did, tells nobody who votes that a colleague has voted, or how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from livereview import ops
from livereview.ops import surveil
from livereview.ops.acts import UNSEEN
from livereview.ops.team import add_account
from livereview.rights import Kind, Principal, session_scopes
from livereview.store import accounts, imports
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found, secret_of
from tests.test_acts import widen
from tests.test_import_back import bring, ris
from tests.test_ops import decide

TEAM = {"r1": "reviewer", "r2": "reviewer", "r3": "reviewer", "lena": "lead"}
Given = dict[str, str]


def principal(store: Store, name: str) -> Principal:
    """As whoever has signed in by this name."""
    role = TEAM[name]
    with store.read() as con:
        account = accounts.open_one(con, name)
    assert account is not None
    return Principal(Kind.SESSION, name, role, session_scopes(role), None, account.version)


def close(store: Store, records: list[str], protocol: str) -> tuple[str, Given]:
    return "close_account", {"name": "r1"}


def decide_again(store: Store, records: list[str], protocol: str) -> tuple[str, Given]:
    widen(store, protocol)
    return "decide_again", {"version": "2026-01", "stage": "title_abstract"}


def reopen(store: Store, records: list[str], protocol: str) -> tuple[str, Given]:
    return "reopen_chosen", {"records": ",".join(records), "stage": "title_abstract"}


def fewer_votes(store: Store, records: list[str], protocol: str) -> tuple[str, Given]:
    return "protocol", {"text": protocol.replace("votes = 2", "votes = 1")}


def take_back_import(store: Store, records: list[str], protocol: str) -> tuple[str, Given]:
    with store.read() as con:
        (file,) = imports.listing(con, REVIEW)
    return "take_back_import", {"search": file.search, "name": file.name}


def join(store: Store, records: list[str], protocol: str) -> tuple[str, Given]:
    """The record that r1 may have voted on, and one that whoever asks has voted on."""
    left, right = sorted((records[1], records[3]))
    return "judge", {"left": left, "right": right, "verdict": "same"}


Prepare = Callable[[Store, list[str], str], tuple[str, Given]]
DONE_TOO = (take_back_import, close)
"""After these a report still takes votes that it took before, so that even what is told when the
act is taken back must tell nothing."""
ACTS: tuple[tuple[Prepare, str], ...] = (
    *((prepare, "lena") for prepare in DONE_TOO),
    (reopen, "lena"),
    (fewer_votes, "lena"),
    (join, "r2"),
    (decide_again, "lena"),  # the last: it changes the protocol
)


def world(folder: Path, protocol: str, has_voted: bool) -> tuple[Store, list[str]]:
    """A review in which r1 has or has not voted on three reports that wait for votes: one at each
    stage, and one that a file brought; of two more one is settled, one has a vote of two others.
    """
    store = Store(folder / "livereview.duckdb", "500MB", 1, 0)
    surveil.register(store, text=protocol, now=NOW)
    for name, role in TEAM.items():
        add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)
    records = found(store, *(article(number) for number in range(5)))
    bring(store, ris(("Only in the file", "own")))
    with store.read() as con:
        own = con.execute("SELECT report_id FROM listing WHERE title = 'Only in the file'")
        records += [row[0] for row in own.fetchall()]
    settled, open_one, at_full_text, ours, _, brought = records
    for record in (settled, at_full_text):
        for person in ("r2", "r3"):
            decide(store, record, person, "include")
    for person in ("lena", "r2"):
        decide(store, ours, person, "include")
    if has_voted:
        for record in (open_one, brought):
            decide(store, record, "r1", "include")
        decide(store, at_full_text, "r1", "exclude", stage="full_text", reason="wrong-design")
    return store, records


def told(store: Store, records: list[str], protocol: str) -> Iterator[tuple[str, Any]]:
    """What each act says to this person: its preview, and of some what is said when it is done, in
    the log, and when it is taken back.
    """
    for prepare, who in ACTS:
        kind, given = prepare(store, records, protocol)
        asked: dict[str, Any] = {
            "review": REVIEW,
            "author": who,
            "by": principal(store, who),
            "now": NOW,
        }
        asked["reason"] = "it is time"
        before = ops.acts.preview(store, kind=kind, given=given, **asked)
        yield f"{kind} before", before
        if prepare in DONE_TOO:
            asked["id"] = kind
            yield (
                f"{kind} done",
                ops.acts.carry_out(store, kind=kind, given=given, shown=before["shown"], **asked),
            )
            asked["id"] = f"{kind}, back"
            yield f"{kind} taken back", ops.acts.take_back(store, act=kind, **asked)
    yield "log", ops.acts.listing(store, review=REVIEW, now=NOW)


def test_no_act_tells_anybody_who_votes_that_a_colleague_has_voted(
    tmp_path: Path, protocol: str
) -> None:
    silent: dict[str, Any] = {}
    voted: dict[str, Any] = {}
    for words, has_voted in ((silent, False), (voted, True)):
        store, records = world(tmp_path / str(has_voted), protocol, has_voted)
        with store:
            words.update(told(store, records, protocol))
    assert {act: words for act, words in voted.items() if words != silent[act]} == {}
    lines = {line for words in silent.values() for line in words.get("lines", ())}
    assert UNSEEN in lines
    assert len(lines) > 5, "acts say more than that"
