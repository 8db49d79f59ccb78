"""Structured abstracts: where a source ran the paragraphs of an abstract together, each is found
again by its label ("BACKGROUND: … METHODS: …"), so that a reviewer finds the part that decides.

The labels are those of CONSORT and PRISMA for abstracts and of the journals that print structured
ones. A text without two of them stays one paragraph: a word that happens to be one ("Results: see
below") makes no structure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FEWEST = 2  # labels that make an abstract a structured one
_NAMES = """
abstract aim aims background context introduction rationale importance objective objectives purpose goal goals
question questions hypothesis hypotheses significance relevance
design setting settings participants patients population populations subjects sample people
intervention interventions exposure exposures comparison comparisons outcome outcomes
measure measures measurements instruments procedure procedures
method methods methodology approach materials data sources registration funding
result results finding findings discussion conclusion conclusions interpretation implications limitations strengths
originality value
"""
_PHRASES = (
    "authors' conclusions",
    "author's conclusions",
    "author conclusions",
    "data collection",
    "data analysis",
    "data sources",
    "data extraction",
    "data synthesis",
    "eligibility criteria",
    "inclusion criteria",
    "main outcome measures",
    "main outcome measure",
    "main outcomes",
    "main results",
    "outcome measures",
    "patients and methods",
    "practical implications",
    "primary outcomes",
    "research design",
    "review methods",
    "risk of bias",
    "search methods",
    "search strategy",
    "selection criteria",
    "study appraisal",
    "study design",
    "study selection",
    "systematic review registration",
    "trial registration",
    "what is already known",
    "what this study adds",
)
_ONE = "|".join(
    re.escape(name).replace("'", "['’]")
    for name in sorted({*_NAMES.split(), *_PHRASES}, key=len, reverse=True)
)
# Labels are also joined: "Methods and findings", "Design/setting", "Aims & objectives".
_LABEL = rf"(?:{_ONE})(?:(?: and |, | & |/)(?:{_ONE})){{0,3}}"
# A label stands at the beginning or after a sentence, a bracket or a line; a colon, a dash or, in
# capitals, a blank parts it from a sentence of its own.
_ABBREVIATIONS = ("vs.", "e.g.", "i.e.", "cf.")  # no sentence ends with these
_START = r"(?:^|(?<=[.?!;)\]”\"’'] )|(?<=\n)|(?<=[.?!)]))"
_WITH_MARK = re.compile(
    rf"{_START}\s{{0,3}}(?P<label>{_LABEL})\s?(?::|\s[-–—](?=\s))\s{{0,3}}(?=\S)", re.IGNORECASE
)
# "PURPOSE 2" and "AIM II" are trials and parts, no labels.
_NUMBERED = r"(?!(?:AIMS?|GOALS?|PURPOSE|QUESTIONS?|OBJECTIVES?|OUTCOMES?|STUDY DESIGN)\s\d)"
_IN_CAPITALS = re.compile(
    rf"{_START}\s{{0,3}}{_NUMBERED}(?P<label>{_LABEL.upper()})\.?\s{{1,3}}"
    r"(?![IVX]{1,4}\b)(?=[A-Z0-9“\"(])"
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A part of an abstract: its label as it was printed, "" where it has none, and what follows."""

    label: str
    text: str


def paragraphs(abstract: str) -> tuple[Paragraph, ...]:
    """The labelled parts of a structured abstract; any other as the one paragraph that it is.

    No word is lost and none moves: the labels and texts in their order are the abstract, but for
    the marks and blanks between them.
    """
    starts = _labels(abstract)
    if len(starts) < FEWEST:
        return (Paragraph("", abstract),)
    parts = []
    if before := abstract[: starts[0].start()].strip():
        parts.append(Paragraph("", before))
    ends = [match.start() for match in starts[1:]] + [len(abstract)]
    for match, end in zip(starts, ends, strict=True):
        parts.append(Paragraph(match["label"].strip(), abstract[match.end() : end].strip()))
    return tuple(parts)


def _labels(abstract: str) -> list[re.Match[str]]:
    """Where labels stand, none within another."""
    found: list[re.Match[str]] = []
    every = [*_WITH_MARK.finditer(abstract), *_IN_CAPITALS.finditer(abstract)]
    for match in sorted(every, key=lambda match: (match.start("label"), -match.end())):
        start = match.start("label")
        goes_on = abstract[:start].rstrip().endswith(_ABBREVIATIONS)
        within = found and match.start() < found[-1].end()
        if not (match["label"][0].islower() or goes_on or within):
            found.append(match)
    return found
