"""What a file says by one person on one record, and whether they had said it already."""

from __future__ import annotations

from dataclasses import dataclass

from livereview.exchange import repeats
from livereview.review import Review
from livereview.store import decisions
from livereview.store.decisions import Decision
from livereview.store.open import Connection


@dataclass(frozen=True, slots=True)
class Word:
    """What a decision says: it is the same decision again where all of this is the same."""

    verdict: str
    reason: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileWords:
    """All that a file says by one person on one record, in its order, and the place of the one that
    is meant.
    """

    words: tuple[Word, ...]
    place: int


def told_before(
    con: Connection, asked: Decision, report: str, rules: Review, file: FileWords
) -> bool:
    """Whether this person's last words on this report are what the file says, under the same
    criteria.
    """
    given = decisions.said(con, asked.review, report, asked.stage, asked.reviewer, asked.role)
    history = []
    for word in given:
        history.append(
            (Word(word.verdict, word.reason, word.note, word.tags), word.criteria_version)
        )
    words = [(word, rules.criteria_version) for word in file.words]
    return repeats.told_before(history, words, file.place)
