"""Decisions as other tools export them: Rayyan, ASReview, Covidence, EPPI-Reviewer, and
livereview's own columns.

Rayyan writes `RAYYAN-INCLUSION: {"Ann"=>"Included"} | RAYYAN-EXCLUSION-REASONS: …` into the notes
of its CSV and RIS; ASReview a column `asreview_label` (older: `included`) of 1, 0 and -1, and
ASReview_relevant, _irrelevant or _not_seen into the notes of RIS; Covidence one file for each list,
named after it, with a Covidence #; EPPI-Reviewer a column "I/E/D/S flag", where D and S are deleted
and duplicate items. So their documentation says, and public scripts that read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from livereview.errors import Refused
from livereview.exchange import sheets
from livereview.exchange.sheets import Line
from livereview.identifiers import clean_doi, clean_pmcid, clean_pmid, clean_year, whole_number

OWN = ("record", "stage", "reviewer", "verdict")
ANSWERS = {
    "include": (
        *("include", "included", "yes", "y", "1", "i", "relevant", "true", "t", "select"),
        *("selected", "in", "accept", "accepted", "keep", "eligible", "include_for_full_text"),
    ),
    "exclude": (
        *("exclude", "excluded", "no", "n", "0", "e", "irrelevant", "not relevant", "false", "f"),
        *("reject", "rejected", "out", "discard", "not eligible", "ineligible"),
    ),
    "maybe": ("maybe", "undecided", "u", "unsure", "unclear", "?", "possibly"),
    "not_retrieved": ("not retrieved", "not_retrieved"),
    "withdrawn": ("withdrawn",),
}
LABELS = ("asreview_label", "label_included", "included", "asreview_relevant")
UNDECIDED = (
    *(
        "-1",
        "d",
        "s",
        "not seen",
        "unscreened",
        "not screened",
        "pending",
        "unlabeled",
        "unlabelled",
    ),
    *("no vote", "to do", "todo", "nan", "na", "n/a", "none", "null", "<na>"),
)
FLAGS = (
    "i/e/d/s flag",
    "i/e",
    "i/e flag",
    "decision",
    "verdict",
    "status",
    "screening decision",
    "state",
)
_RAYYAN = re.compile(r"RAYYAN-([A-Z-]{1,40}):")
READS = "livereview's own columns, Rayyan, ASReview, Covidence and EPPI-Reviewer"


@dataclass(frozen=True, slots=True)
class Row:
    """One decision: `record` is an id, a DOI, "pmid:…" or a title.

    The rest is None where the file does not say.

    Attributes:
        also: What else the row tells of its record, each as `record` may be, the surest first.
        year, author: Of the record; they tell reports of one title apart.
    """

    number: int
    record: str
    verdict: str
    stage: str | None = None
    reviewer: str | None = None
    reason: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    role: str = "vote"
    also: tuple[str, ...] = ()
    year: int | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """`kind` is whose file it is; `undecided` counts rows without an answer; `problems`: (row,
    why).
    """

    kind: str
    rows: tuple[Row, ...]
    undecided: int
    problems: tuple[tuple[int, str], ...]


def read(body: bytes, name: str) -> Sheet:
    """The decisions of a file. A row that can't be read is a problem and spares the others.

    Raises:
        Refused: for a file of no kind that is understood.
    """
    lines = sheets.read(body, name)
    kind, reader = _kind(lines, name)
    rows: list[Row] = []
    problems: list[tuple[int, str]] = []
    undecided = 0
    for line in lines:
        try:
            found = [row if row.record else _with_record(row, line) for row in reader(line)]
        except Refused as problem:
            problems.append((line.number, problem.message))
            continue
        rows += found
        undecided += not found
    return Sheet(kind, tuple(rows), undecided, tuple(problems))


def _kind(lines: Sequence[Line], name: str) -> tuple[str, Callable[[Line], Iterator[Row]]]:
    heads = set(lines[0].values) if lines else set()
    if heads >= set(OWN):
        return "livereview", _own
    if any("RAYYAN-INCLUSION" in _notes(line) for line in lines):
        return "Rayyan", _rayyan
    if any(
        "ASReview_relevant" in _notes(line) or "ASReview_irrelevant" in _notes(line)
        for line in lines
    ):
        return "ASReview", _asreview_ris
    if label := next((column for column in LABELS if column in heads), None):
        return "ASReview", lambda line: _answered(line, label)
    if "covidence #" in heads and (verdict := _covidence_list(name)):
        return "Covidence", lambda line: _covidence(line, verdict)
    if flag := next((column for column in FLAGS if column in heads), None):
        return "EPPI-Reviewer", lambda line: _answered(line, flag)
    told = ", ".join(sorted(heads)[:12]) or "no row"
    raise Refused(
        f"{name} holds no decisions of a kind that is read ({READS}); its headings are {told}. "
        f"Name columns {', '.join(OWN)} in a CSV file instead"
    )


def _notes(line: Line) -> str:
    return line.first("notes", "n1", "note")


def _own(line: Line) -> Iterator[Row]:
    if empty := [name for name in OWN if not line.values.get(name)]:
        raise Refused(f"{', '.join(empty)} is empty")
    value = line.values
    yield Row(
        line.number,
        value["record"],
        _verdict(value["verdict"]),
        value["stage"],
        value["reviewer"],
        value.get("reason") or None,
        value.get("note") or None,
        _split(value.get("tags", ""), ";"),
        value.get("role") or "vote",
    )


def _rayyan(line: Line) -> Iterator[Row]:
    """One row for each person in RAYYAN-INCLUSION."""
    named = (_RAYYAN.search(part) for part in _notes(line).split("|"))
    parts = {match.group(1): match.string[match.end() :].strip() for match in named if match}
    votes = re.findall(r'"([^"]+)"\s*=>\s*"([^"]+)"', parts.get("INCLUSION", ""))
    reasons = _split(parts.get("EXCLUSION-REASONS", "").replace("__EXR__", ""), ",")
    for who, answer in votes:
        verdict = _verdict(answer)
        why = reasons[0] if reasons and verdict == "exclude" else None
        more = f"Rayyan's reasons: {', '.join(reasons)}" if len(reasons) > 1 else None
        note = " ".join(filter(None, (parts.get("USER-NOTES"), more))) or None
        yield Row(
            line.number,
            "",
            verdict,
            None,
            _person(who),
            why,
            note,
            _split(parts.get("LABELS", ""), ","),
        )


def _asreview_ris(line: Line) -> Iterator[Row]:
    notes = _notes(line)
    if "ASReview_not_seen" not in notes:
        verdict = "exclude" if "ASReview_irrelevant" in notes else "include"
        yield Row(line.number, "", verdict)


def _answered(line: Line, column: str) -> Iterator[Row]:
    """A row whose answer stands in one column; an empty one was not screened."""
    answer = whole_number(line.values.get(column, ""))
    if answer and answer.lower() not in UNDECIDED:
        note = line.first("asreview_note", "note", "notes") or None
        tags = _split(line.first("tags", "asreview_tags"), ";")
        reason = line.first("reason", "exclusion reason", "exclude reason") or None
        who = line.first("asreview_user_name", "asreview_user_email", "reviewer")
        person = _person(who.partition("@")[0]) if who else None
        yield Row(line.number, "", _verdict(answer), None, person, reason, note, tags)


def _covidence_list(name: str) -> str | None:
    """What the name of a list says: Covidence exports each list by itself."""
    said = name.lower()
    if "excluded" in said or "irrelevant" in said:
        return "exclude"
    if "included" in said or "select" in said:
        return "include"
    return None


def _covidence(line: Line, verdict: str) -> Iterator[Row]:
    found = re.search(r"exclusion reason:\s*([^;]+)", line.first("notes"), re.IGNORECASE)
    reason = found.group(1).strip() if found and verdict == "exclude" else None
    yield Row(line.number, "", verdict, reason=reason, tags=_split(line.first("tags"), ";"))


def _verdict(answer: str) -> str:
    said = " ".join(whole_number(answer).lower().split())
    for verdict, words in ANSWERS.items():
        if said in words:
            return verdict
    raise Refused(
        f"{answer!r} is no answer that is known; include, exclude or maybe, 1 or 0, I or E"
    )


def _references(line: Line) -> tuple[str, ...]:
    """What the row tells of its record, the surest first: DOI, PMID, PMCID, title."""
    written = line.first("doi", "do", "digital object identifier", "item doi")
    doi = clean_doi(written) or (written if written.startswith("10.") else None)
    doi = doi or clean_doi(line.first("url", "ur", "link"))
    pmid = clean_pmid(line.first("pmid", "pubmed_id", "pubmed id", "medline pmid", "an_pmid"))
    pmcid = clean_pmcid(line.first("pmcid", "pmc"))
    title = line.first("title", "primary_title", "article title", "ti", "t1", "document title")
    found = (doi, f"pmid:{pmid}" if pmid else None, pmcid, title)
    return tuple(filter(None, found))


def _with_record(row: Row, line: Line) -> Row:
    """The row with what the line tells of its record.

    Raises:
        Refused: it tells nothing.
    """
    references = _references(line)
    if not references:
        raise Refused("the row has neither DOI nor PMID nor title")
    authors = line.first("authors", "author", "au", "a1", "primary_author", "author names")
    first = re.split(r"[;\n,]", authors)[0].strip()
    return replace(
        row,
        record=references[0],
        also=references[1:],
        year=clean_year(
            line.first("year", "py", "y1", "publication year", "published year", "date")
        ),
        author=first or None,
    )


def _split(text: str, sign: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(sign) if part.strip()))


def _person(name: str) -> str:
    """A name as accounts have it: letters, digits and _."""
    return re.sub(r"\W+", "_", name.strip()).strip("_")[:40] or "unnamed"
