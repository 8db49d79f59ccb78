"""Several PDFs at once: each is kept with the report that it is of, or with none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from livereview import parsing
from livereview.dedup.publications import Candidate, Match, match
from livereview.errors import LivereviewError, Refused
from livereview.ops import full_text, page_texts
from livereview.parsing import ParserFailed, ReadPdf
from livereview.pdf_text import STATES, PdfText
from livereview.store.open import Store

MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class Dropped:
    """What became of a file: the report it was kept with; None: nothing was kept.

    Attributes:
        why: How it was known, or why it was not kept, for people.
        likely: Reports that it may be of, where none was sure.
    """

    name: str
    report_id: str | None
    why: str
    likely: tuple[str, ...] = ()


def keep(
    store: Store,
    folder: Path,
    *,
    id: str,
    review: str,
    name: str,
    body: bytes,
    candidates: Sequence[Candidate],
    author: str,
    now: datetime,
) -> Dropped:
    """Keep a PDF with the one of these reports that it is of; with none, nothing is kept."""
    try:
        text, found = _match(body, candidates)
        if found.report_id is None:
            return Dropped(name, None, found.why, found.likely)
        attached = full_text.attach(
            store,
            folder,
            id=id,
            review=review,
            record=found.report_id,
            name=name,
            body=body,
            author=author,
            now=now,
        )
        if text is not None:
            page_texts.keep(folder, attached["sha256"], text)
    except Refused as refusal:
        return Dropped(name, None, refusal.message)
    return Dropped(name, found.report_id, found.why)


def _match(body: bytes, candidates: Sequence[Candidate]) -> tuple[PdfText | None, Match]:
    """The text of a PDF, if it could be taken out, and the report that it is of."""
    full_text.check(body)
    try:
        text = parsing.read_pdf(ReadPdf(body, "this PDF"))
    except (LivereviewError, ParserFailed):
        return None, Match(None, STATES["damaged"])
    if text.state != "read":
        return text, Match(None, STATES[text.state])
    return text, match(text.text, candidates)
