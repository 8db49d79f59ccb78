"""What the service asks of people: retractions of what they read, tips of readers, reports opened
again, their own statements that newer evidence has left behind, and quotes that a replaced file
took away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from livereview.errors import Refused
from livereview.ops.typed import typed
from livereview.store import records, tasks, versions
from livereview.store.open import Connection, Store
from livereview.store.tasks import Task
from livereview.summary.statements import TeamWords

RETRACTION_OUTCOMES = ("noted", "reopened")
WORDS = {
    "retracted": "was retracted",
    "expression-of-concern": "has an expression of concern",
    "corrected": "was corrected",
    "tip": "was suggested by a reader",
    "statement": "is a statement of the team that may be out of date",
    "standing": "is a rival explanation whose standing may be out of date",
    "quote": "was quoted from a file that is used no more, and is not in the files of today",
}
QUOTE = "quote"
STATEMENTS = ("statement", "standing")
"""Tasks that close by themselves, when the protocol has the statement renewed."""


def raise_for(
    con: Connection, review: str, kind: str, record_ids: Sequence[str], now: datetime
) -> None:
    """After these records came in by a search of this kind: a task for each retraction that
    matters, and reports that were excluded without an abstract opened again where one has arrived.
    Nothing is decided and nothing dropped.
    """
    known = records.current(con, record_ids)
    marked = {key: record for key, record in known.items() if record.retraction}
    for key, record in marked.items():
        for where, report, included in tasks.is_watched(con, [key]):
            if (included or kind == "lookup") and record.retraction not in tasks.kinds(
                con, where, report
            ):
                _raise(con, where, key, str(record.retraction), record.source, now)
    read = [key for key, record in known.items() if record.abstract]
    for where, _, record_id in tasks.excluded_unread(con, read):
        cause = "an abstract has arrived since it was excluded without one"
        id = f"abstract:{where}:{record_id}"
        tasks.reopen(con, id, where, record_id, "title_abstract", "rule", cause, now)
        versions.ask(con, where, cause, now)


def _raise(
    con: Connection, review: str, record: str, kind: str, source: str, now: datetime
) -> None:
    tasks.append(
        con, [Task(f"{kind}:{review}:{record}", review, record, kind, {"source": source})], now
    )
    versions.ask(con, review, f"{source} says that a report {WORDS[kind]}", now)


def settle_statements(
    con: Connection, review: str, marked: Sequence[TeamWords], now: datetime
) -> None:
    """A task for each statement that the page marks as out of date, and an end to those that are
    renewed or gone.
    """
    wanted = {_statement_task(review, one): one for one in marked if one.outdated is not None}
    open_ = {task.id for task in tasks.of(con, review) if task.kind in STATEMENTS}
    new = [_raised(review, id, one) for id, one in wanted.items() if id not in open_]
    if new:
        tasks.append(con, new, now)
    for id in open_ - wanted.keys():
        tasks.end(con, id, "renewed", "rule", None, now)


def statements_settled(con: Connection, review: str, marked: Sequence[TeamWords]) -> bool:
    """Whether the open tasks are those that `settle_statements` would leave."""
    wanted = {_statement_task(review, one) for one in marked if one.outdated is not None}
    return wanted == {task.id for task in tasks.of(con, review) if task.kind in STATEMENTS}


def _statement_task(review: str, one: TeamWords) -> str:
    """Its id holds when the statement was last read: one that is renewed and falls behind again is
    a new task.
    """
    return f"statement:{review}:{one.key}:{one.read.isoformat() if one.read else ''}"


def _raised(review: str, id: str, one: TeamWords) -> Task:
    kind = "standing" if one.is_weighed else "statement"
    data = {"title": one.text, "statement": one.key, "why": one.outdated}
    return Task(id, review, None, kind, data)


@dataclass(frozen=True, slots=True)
class LostQuote:
    """A quote of a study that went with a file.

    Attributes:
        study: The study's id.
        quote: Its words.
        files: The sha256 of each file in which it was looked for and not found.
    """

    study: str
    quote: str
    files: tuple[str, ...]

    def task(self, review: str) -> str:
        """The id of its task; with other files it is another."""
        text = json.dumps([self.quote, sorted(self.files)])
        return f"{QUOTE}:{review}:{self.study}:{sha256(text.encode()).hexdigest()[:16]}"


def settle_quotes(con: Connection, review: str, lost: Sequence[LostQuote], now: datetime) -> None:
    """A task for each quote that went with a file, and an end to those that are found or mended."""
    wanted = {one.task(review): one for one in lost}
    open_ = _open_quotes(con, review)
    new = [
        Task(id, review, None, QUOTE, {"title": f"“{one.quote}”", "study": one.study})
        for id, one in wanted.items()
        if id not in open_
    ]
    if new:
        tasks.append(con, new, now)
    for id in open_ - wanted.keys():
        tasks.end(con, id, "found", "rule", None, now)


def quotes_settled(con: Connection, review: str, lost: Sequence[LostQuote]) -> bool:
    """Whether the open tasks are those that `settle_quotes` would leave."""
    return {one.task(review) for one in lost} == _open_quotes(con, review)


def _open_quotes(con: Connection, review: str) -> set[str]:
    return {task.id for task in tasks.of(con, review) if task.kind == QUOTE}


def open_tasks(con: Connection, reviews: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The open tasks of each of these reviews in words, oldest first."""
    waiting = tasks.of_each(con, reviews)
    named = [task.record_id for found in waiting.values() for task in found if task.record_id]
    titles = {key: record.title for key, record in records.current(con, named).items()}
    return {
        review: [_in_words(task, titles) for task in found] for review, found in waiting.items()
    }


def _in_words(task: Task, titles: Mapping[str, str | None]) -> dict[str, Any]:
    title = titles.get(task.record_id or "") or task.data.get("title")
    return {
        "id": task.id,
        "kind": task.kind,
        "words": WORDS[task.kind],
        "title": title or "Untitled record",
        "record": task.record_id,
        "data": dict(task.data),
        "made": task.made,
    }


@typed
def settle_task(
    store: Store,
    *,
    review: str,
    task: str,
    outcome: str,
    by: str,
    now: datetime,
    note: str | None = None,
) -> dict[str, Any]:
    """Close a task. noted: the decision on the report stands.

    Reopened: its full text is to be decided on again.

    Tips have their own way (`ops.tips`). A task that is closed already stays as it was closed.
    """

    def job(con: Connection) -> dict[str, Any]:
        found = next((one for one in tasks.of(con, review) if one.id == task), None)
        if found is None:
            raise Refused("this task is settled already or was never raised; reload the page")
        if found.kind in STATEMENTS:
            raise Refused(
                f"this task closes by itself: mend statement {found.data['statement']} in review.toml, or write the "
                "day on which you read it again as its `checked`"
            )
        if found.kind == QUOTE:
            raise Refused(
                f"this task closes by itself: mend the quote in the form of {found.data['study']}, or add"
                " the file that has it"
            )
        if found.kind == "tip" or outcome not in RETRACTION_OUTCOMES:
            raise Refused(
                f"a task about a retraction ends as {' or '.join(RETRACTION_OUTCOMES)}, not {outcome!r}"
            )
        tasks.end(con, task, outcome, by, note, now)
        if outcome == "reopened" and found.record_id:
            tasks.reopen(
                con,
                f"task:{task}",
                review,
                found.record_id,
                "full_text",
                by,
                f"it {WORDS[found.kind]}",
                now,
            )
            versions.ask(
                con, review, f"a report that {WORDS[found.kind]} is being looked at again", now
            )
        return {"task": task, "outcome": outcome}

    return store.write(job)
