"""Quotes of forms, looked up in the full texts of their study: when a form is saved, and when a file
arrives.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from livereview.errors import Retry
from livereview.evidence import places
from livereview.evidence.folding import Folded, fold
from livereview.evidence.places import AROUND, Looked, Standing
from livereview.evidence.quotes import Missing, Place, find
from livereview.ops import page_texts, tasks
from livereview.ops.tasks import LostQuote
from livereview.pdf_text import STATES, PdfText
from livereview.store import evidence, quote_places, versions
from livereview.store.open import Connection, Store

log = logging.getLogger(__name__)
MOST_BOXES = 100  # lines of a quote


def look_up(
    store: Store, full_texts: Path, *, review: str, study: str | None = None, now: datetime
) -> int:
    """Look up the quotes that were not yet looked up; how many places are new.

    The files are read without holding the database. Asked twice, it does nothing the second time.

    A quote that stood in a file which is used no more, and stands in none of today's, is a task.

    Args:
        full_texts: The folder of full texts.
        study: Whose quotes; None: those of all studies.
    """
    new = _look_up(store, full_texts, review, study, now)
    with store.read() as con:
        lost = lost_with_files(con, review)
        settled = tasks.quotes_settled(con, review, lost)
    if not settled:
        store.write(lambda con: tasks.settle_quotes(con, review, lost, now))
    return new


def _look_up(store: Store, full_texts: Path, review: str, study: str | None, now: datetime) -> int:
    with store.read() as con:
        missing = _missing(con, review, study)
    looked: list[Looked] = []
    for sha256, quotes in missing.items():
        try:
            looked += _look(full_texts, sha256, quotes)
        except Retry as problem:  # the next look goes on from here
            log.warning("%s", problem.message)
            break
    if not looked:
        return 0

    def job(con: Connection) -> int:
        new = quote_places.append(con, review, looked, now)
        if new:
            versions.ask(con, review, "quotes were looked up in full texts", now)
        return new

    return store.write(job)


def _missing(con: Connection, review: str, study: str | None) -> dict[str, list[str]]:
    """The quotes to look up, by the sha256 of the file to look in."""
    quotes = _quotes_by_study(con, review)
    files = quote_places.files_of_studies(con, review)
    known = quote_places.of(con, review)
    missing: dict[str, list[str]] = {}
    for name in [study] if study else sorted(files):
        for sha256 in files.get(name, ()):
            new = [quote for quote in quotes.get(name, ()) if (quote, sha256) not in known]
            if new:
                missing.setdefault(sha256, []).extend(new)
    return missing


def _quotes_by_study(con: Connection, review: str) -> dict[str, list[str]]:
    """Every quote that somebody's last form of a study holds, or the one in force."""
    texts: dict[str, list[str]] = {}
    for study, text in evidence.extractions(con, review).items():
        texts.setdefault(study, []).append(text)
    for study, by_person in evidence.singles(con, review).items():
        texts.setdefault(study, []).extend(by_person.values())
    return {
        study: list(dict.fromkeys(quote for text in some for quote in _quotes(json.loads(text))))
        for study, some in texts.items()
    }


def _quotes(form: Mapping[str, Any]) -> list[str]:
    return [quote for _, _, quote in places.quotes_in(form)]


def _look(full_texts: Path, sha256: str, quotes: Iterable[str]) -> list[Looked]:
    """The quotes in one file; none where it is gone from the folder, which is tried again."""
    text = page_texts.text_of(full_texts, sha256)
    if text is None:
        return []
    if text.state != "read":
        return [Looked(quote, sha256, None, reason=STATES[text.state]) for quote in quotes]
    folded = fold(text.text)
    return [_looked(text, folded, sha256, quote) for quote in quotes]


def look_for(full_texts: Path, sha256: str, quote: str) -> Looked | None:
    """Where one quote stands in one file, or why not, without keeping it; None where the file is
    gone from the folder.
    """
    for looked in _look(full_texts, sha256, [quote]):
        return looked
    return None


def _looked(text: PdfText, folded: Folded, sha256: str, quote: str) -> Looked:
    place = find(folded, quote)
    if isinstance(place, Missing):
        return Looked(quote, sha256, None, reason=place.words)
    return Looked(
        quote=quote,
        sha256=sha256,
        page=text.page_at(place.start),
        start=place.start,
        stop=place.end,
        boxes=_boxes(text, place),
        before=text.text[max(0, place.start - AROUND) : place.start],
        after=text.text[place.end : place.end + AROUND],
    )


def _boxes(text: PdfText, place: Place) -> str:
    lines = [
        [page, box.left, box.bottom, box.right, box.top]
        for start, end in place.spans
        for page, box in text.boxes(start, end)
    ]
    return json.dumps(lines[:MOST_BOXES])


def standings_of(
    con: Connection, review: str, study: str, forms: Sequence[Mapping[str, Any]]
) -> dict[str, Standing]:
    """How it stands with each quote of these forms of a study, by quote."""
    files = quote_places.files_of_studies(con, review).get(study, [])
    known = quote_places.of(con, review)
    return {
        quote: places.standing(quote, files, known) for form in forms for quote in _quotes(form)
    }


def not_in_files(con: Connection, review: str) -> dict[str, list[Standing]]:
    """What extractors must look at: quotes in force that no file of their study holds, by study."""
    return {
        study: missing
        for study, known in in_force(con, review).items()
        if (missing := [one for one in known if one.state == "not in the file"])
    }


def lost_with_files(con: Connection, review: str) -> list[LostQuote]:
    """Quotes in force that stood in a file which is used no more, and stand in none of today's."""
    missing = not_in_files(con, review)
    if not missing:
        return []
    known = quote_places.of(con, review)
    files = quote_places.files_of_studies(con, review)
    stood = {quote for (quote, _), looked in known.items() if looked.page is not None}
    return [
        LostQuote(study, standing.quote, tuple(files[study]))
        for study, standings in missing.items()
        for standing in standings
        if standing.quote in stood
    ]


def in_force(con: Connection, review: str) -> dict[str, list[Standing]]:
    """How it stands with each quote of the forms in force, by study."""
    files = quote_places.files_of_studies(con, review)
    known = quote_places.of(con, review)
    standings: dict[str, list[Standing]] = {}
    for study, text in evidence.extractions(con, review).items():
        quotes = dict.fromkeys(_quotes(json.loads(text)))
        standings[study] = [places.standing(quote, files.get(study, []), known) for quote in quotes]
    return standings
