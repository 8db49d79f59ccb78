"""The included reports as RIS, BibTeX and CSL-JSON, for reference managers.

The review's version is the first entry.

The summary does not say what kind of publication a report is: with a journal (or other container)
it is written as an article, else as a document of no kind. Authors are written as the source gave
them: "Family, Given" by its parts, and a name without a comma whole, as nobody knows whether it is
a person's or a body's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from livereview.records import clean_doi
from livereview.summary import words
from livereview.summary.data import dump
from livereview.summary.model import Study, Summary
from livereview.summary.model.studies import Report
from livereview.summary.words import tidy, web


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry.

    `key` is unique in the file: the study's id with the number of the report in it. `version`: of
    the review itself, None for a report; `date` its ISO date.
    """

    key: str
    title: str | None
    authors: tuple[str, ...]
    year: int | None
    container: str | None
    doi: str | None
    link: str | None
    note: str
    version: str | None = None
    date: str | None = None


def ris(summary: Summary) -> bytes:
    """RIS with a TY to ER entry for each, in CRLF lines; N1 names the study.

    Values never hold a line break.
    """
    return "\r\n".join(line for one in references(summary) for line in _ris(one)).encode(
        "utf-8", "replace"
    )


def bibtex(summary: Summary) -> bytes:
    """BibTeX and biblatex in UTF-8: what TeX would take for a command is escaped, and the braces of
    a field balance.
    """
    return "\n".join(_bibtex(one) for one in references(summary)).encode("utf-8", "replace")


def csl(summary: Summary) -> bytes:
    """CSL-JSON (schema 1.0.2): a list of items."""
    return dump([_csl(one) for one in references(summary)], indent=1)


def references(summary: Summary) -> tuple[Reference, ...]:
    """The review's version, then each report under its study, in the summary's order."""
    reports = (
        _report(study, number, report)
        for study in summary.studies
        for number, report in enumerate(study.reports, start=1)
    )
    return (_review(summary), *reports)


def _review(summary: Summary) -> Reference:
    review, version = summary.review, summary.version
    date, number = words.date_of(version.date), str(version.number)
    note = f"Living systematic review, version {number} of {version.date_display}"
    return Reference(
        key=_key(f"{review.id}-v{number}"),
        title=_line(review.title),
        authors=_lines(review.authors),
        year=int(date[:4]),
        container=None,
        doi=None,
        link=None,
        note=note,
        version=number,
        date=date,
    )


def _report(study: Study, number: int, report: Report) -> Reference:
    doi = clean_doi(report.doi)
    if report.retraction:
        mark = f"; marked by its publisher: {report.retraction.replace('-', ' ')}"
    else:
        mark = ""
    return Reference(
        key=_key(f"{study.id}-{number}"),
        title=_line(report.title) or (None if doi else report.id),
        authors=_lines(report.authors),
        year=report.year,
        container=_line(report.published_in),
        doi=doi,
        link=web(report.link),
        note=_line(f"Study: {study.label} ({study.id}){mark}") or "",
    )


def _line(text: str | None) -> str | None:
    return " ".join(tidy(text).split()) or None if text else None


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for text in texts if (line := _line(text)))


def _key(text: str) -> str:
    """What every program takes for a citation key."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


# RIS
# ------------------------------------------------------------------------------------------------------------------


def _ris(one: Reference) -> Iterable[str]:
    """The lines of an entry, tags as https://en.wikipedia.org/wiki/RIS_(file_format) lists them
    (2026-11).
    """
    yield f"TY  - {'ELEC' if one.version else 'JOUR' if one.container else 'GEN'}"
    tags: tuple[tuple[str, object], ...] = (
        ("ID", one.key),
        ("TI", one.title),
        *(("AU", author) for author in one.authors),
        ("PY", one.year),
        ("DA", one.date and one.date.replace("-", "/")),
        ("T2", one.container),
        ("ET", one.version and f"Version {one.version}"),
        ("DO", one.doi),
        ("UR", one.link),
        ("N1", one.note),
    )
    yield from (f"{tag}  - {value}" for tag, value in tags if value)
    yield "ER  - \r\n"


# BibTeX
# ---------------------------------------------------------------------------------------------------------------

# "@" stands in braces, as readers look for it at the start of an entry; two hyphens or quotes would
# become one sign.
_SIGNS = {
    **{sign: f"\\{sign}" for sign in "%&#_$"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\^{}",
    "@": "{@}",
}
_PAIRS = re.compile(r"(-)(?=-)|(')(?=')|(`)(?=`)")
# TeX skips the brace that BibTeX counts
_ALONE = {"{": "\\{\\iffalse}\\fi{}", "}": "\\iffalse{\\fi{}\\}"}


def _bibtex(one: Reference) -> str:
    fields: tuple[tuple[str, object], ...] = (
        ("title", tex(one.title or "")),
        ("author", " and ".join(_bibtex_name(author) for author in one.authors)),
        ("year", one.year),
        ("date", one.date),
        ("journal", tex(one.container or "")),
        ("version", one.version),
        ("doi", one.doi),
        ("url", one.link and one.link.replace("@", "%40")),
        ("note", tex(one.note)),
    )
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields if value)
    return f"@{'article' if one.container else 'misc'}{{{one.key},\n{lines}}}\n"


def tex(text: str) -> str:
    r"""Text as TeX prints it.

    A brace without its other half gets one that TeX skips, as BibTeX counts \{ too.
    """
    paired = _paired(text)
    signs = (
        f"\\{sign}" if place in paired else _ALONE.get(sign) or _SIGNS.get(sign, sign)
        for place, sign in enumerate(text)
    )
    return _PAIRS.sub(lambda match: f"{match.group()}{{}}", "".join(signs))


def _paired(text: str) -> set[int]:
    """The places of the braces that have their other half."""
    opened: list[int] = []
    paired: set[int] = set()
    for place, sign in enumerate(text):
        if sign == "{":
            opened.append(place)
        elif sign == "}" and opened:
            paired |= {opened.pop(), place}
    return paired


def _bibtex_name(author: str) -> str:
    """ "Family, Given" and "Family, Jr, Given" by their parts.

    Any other name in braces, which keep it whole.
    """
    parts = _parts(author)
    if len(parts) == 1:
        whole = f"{{{tex(author)}}}"
        return f"{{{whole}}}" if " and " in author.lower() else whole
    return ", ".join(_guarded(part) for part in (parts[0], *parts[2:], parts[1]))


def _guarded(part: str) -> str:
    """In braces where the word "and" would begin the next author."""
    if re.search(r"\band\b", part, re.IGNORECASE):
        return f"{{{tex(part)}}}"
    return tex(part)


def _parts(author: str) -> Sequence[str]:
    """(family, given), (family, given, suffix), or (the whole name,)."""
    parts = author.split(", ")
    clear = 2 <= len(parts) <= 3 and all(part.strip() and "," not in part for part in parts)
    return parts if clear else (author,)


# CSL-JSON
# -------------------------------------------------------------------------------------------------------------


def _csl(one: Reference) -> dict[str, Any]:
    if one.date:
        date = [int(part) for part in one.date.split("-")]
    elif one.year:
        date = [one.year]
    else:
        date = None
    item = {
        "id": one.key,
        "type": "webpage" if one.version else "article-journal" if one.container else "document",
        "title": one.title,
        "author": [_csl_name(author) for author in one.authors],
        "issued": {"date-parts": [date]} if date else None,
        "container-title": one.container,
        "version": one.version,
        "DOI": one.doi,
        "URL": one.link,
        "note": one.note,
    }
    return {key: value for key, value in item.items() if value}


def _csl_name(author: str) -> dict[str, str]:
    parts = _parts(author)
    names = ("family", "given", "suffix") if len(parts) > 1 else ("literal",)
    return dict(zip(names, parts, strict=False))
