"""Which report a publication is of, by what it says on its first pages.

A file at the wrong report is worse than one that a person must place, so a match is made only where
one report fits and nothing speaks against it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from livereview.records import Record

HEAD = 6_000  # characters: the first page or two, before the references, which name other reports
BEGINNING = 2_000  # characters in which a publication's own title stands
LEAST_TITLE = 25  # letters: shorter titles ("Editorial", "A pilot study") stand anywhere
MOST_LIKELY = 3  # reports offered for a file that fits none
LEAST_SHARE = 0.5  # of a title's words, for a report to be offered


@dataclass(frozen=True, slots=True)
class Candidate:
    """A report that a file may be of, by the fullest of its records."""

    report_id: str
    record: Record


@dataclass(frozen=True, slots=True)
class Match:
    """What a file fits: the report, or None and those that it fits best; `why` in words."""

    report_id: str | None
    why: str
    likely: tuple[str, ...] = ()


def match(text: str, candidates: Sequence[Candidate]) -> Match:
    """Which of these reports the text of a publication is of."""
    head = text[:HEAD]
    dois, letters = _without_spaces(head), _letters(head)
    by_doi = [one.report_id for one in candidates if _has_doi(dois, one.record.doi)]
    beginning = _letters(text[:BEGINNING])
    by_title = _longest([one for one in candidates if _has_title(beginning, one.record.title)])
    fits = set(by_doi) | set(by_title)
    if len(fits) == 1:
        why = "its DOI" if by_doi else "its title"
        return Match(fits.pop(), f"{why} stands on the first pages")
    if len(set(by_doi) & set(by_title)) == 1:
        return Match((set(by_doi) & set(by_title)).pop(), "its DOI and title stand there")
    if fits:
        return Match(None, "several reports fit", tuple(sorted(fits))[:MOST_LIKELY])
    return Match(None, "no DOI or title of a report was found in it", _likely(letters, candidates))


def _without_spaces(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _letters(text: str) -> str:
    """Letters and digits only: lines, hyphens and quotation marks differ between prints."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def _has_doi(text: str, doi: str | None) -> bool:
    """Whether the DOI stands in the text whole: 10.1000/trial1 is not 10.1000/trial12."""
    if not doi:
        return False
    wanted = doi.casefold()
    place = text.find(wanted)
    while place >= 0:
        following = text[place + len(wanted) : place + len(wanted) + 1]
        if not following.isdigit():
            return True
        place = text.find(wanted, place + 1)
    return False


def _has_title(letters: str, title: str | None) -> bool:
    wanted = _letters(title or "")
    return len(wanted) >= LEAST_TITLE and wanted in letters


def _longest(candidates: Sequence[Candidate]) -> list[str]:
    """Without those whose title is a part of another's: "X" where "X: a follow-up" stands."""
    titles = {one.report_id: _letters(one.record.title or "") for one in candidates}
    return [
        report
        for report, title in titles.items()
        if not any(title != other and title in other for other in titles.values())
    ]


def _likely(letters: str, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The reports of whose titles most words stand in the text."""
    shares = {one.report_id: _share(letters, one.record.title or "") for one in candidates}
    best = sorted(shares, key=lambda report: (-shares[report], report))
    return tuple(report for report in best if shares[report] >= LEAST_SHARE)[:MOST_LIKELY]


def _share(letters: str, title: str) -> float:
    words = [word for word in map(_letters, title.split()) if len(word) > 3]
    if not words:
        return 0.0
    return sum(word in letters for word in words) / len(words)
