"""BibTeX, read by bibtexparser entry by entry, so that one damaged entry costs no other.

Every @entry but @string, @comment and @preamble is a record or a reject. Accents and braces of LaTeX become plain text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import (
    LatexDecodingMiddleware,
    NormalizeFieldKeys,
    RemoveEnclosingMiddleware,
    ResolveStringReferencesMiddleware,
)

from livereview.errors import SourceBroken
from livereview.records import Record, clean_doi, clean_isbn, clean_issn, clean_pmcid, clean_pmid, clean_year
from livereview.sources import answers
from livereview.sources.protocol import Page, Reject, Source
from livereview.sources.text import abstract, link, name, names, plain, reject

NAME = "bibtex"
TITLE = "BibTeX"
_ENTRY = re.compile(r"^[ \t]*@[ \t]*([A-Za-z]+)[ \t]*[{(]", re.MULTILINE)
_FIELD = re.compile(r"^\s*([A-Za-z][\w-]*)\s*=\s*", re.MULTILINE)
_ASIDE = ("string", "comment", "preamble")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TYPES = {
    "article": "journal-article",
    "inproceedings": "conference-paper",
    "conference": "conference-paper",
    "proceedings": "book",
    "book": "book",
    "mvbook": "book",
    "incollection": "book-chapter",
    "inbook": "book-chapter",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
    "thesis": "thesis",
    "techreport": "report",
    "report": "report",
    "online": "web-page",
    "www": "web-page",
    "dataset": "dataset",
    "unpublished": "manuscript",
}
Fields = dict[str, str]


def parse(body: bytes, cursor: str | None) -> Page:
    """Every entry as a record or a reject; SourceBroken for a file in which no line starts an entry."""
    text = _decoded(body)
    pieces = list(_pieces(text))
    if not pieces:
        raise _foreign(text)
    strings = "\n".join(piece for kind, _, piece in pieces if kind == "string")
    records: list[Record] = []
    rejects: list[Reject] = []
    for kind, line, piece in pieces:
        if kind in _ASIDE:
            continue
        fields = _fields(f"{strings}\n{piece}")
        made = _record(kind, fields if isinstance(fields, dict) else _by_hand(piece) or fields)
        if isinstance(made, Record):
            records.append(made)
        else:
            rejects.append(reject(made, f"line {line}", piece))
    return Page(tuple(records), rejects=tuple(rejects), total=len(records) + len(rejects))


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _foreign(text: str) -> SourceBroken:
    looks = "RIS: use ris" if re.search(r"^TY  ?-", text, re.MULTILINE) else "something else"
    return SourceBroken(f"this is not BibTeX: no line starts an @entry; it looks like {looks}", source=NAME)


def _pieces(text: str) -> Iterator[tuple[str, int, str]]:
    """(kind, line, text) of each entry: from its @ to the next one."""
    starts = list(_ENTRY.finditer(text))
    for match, following in zip(starts, [*starts[1:], None], strict=False):
        end = following.start() if following else len(text)
        yield match.group(1).lower(), text.count("\n", 0, match.start()) + 1, text[match.start() : end].strip()


def _fields(text: str) -> Fields | str:
    """The fields of the one entry, decoded; a reason where there is none to be had."""
    stack = [ResolveStringReferencesMiddleware(), RemoveEnclosingMiddleware(), NormalizeFieldKeys()]
    try:
        library = parse_string(text, parse_stack=[*stack, LatexDecodingMiddleware()])
        entries: list[Any] = list(library.entries)
        failed = [str(getattr(block, "error", block)) for block in library.failed_blocks]
        if not entries:  # a field given twice, most often: what the parser kept of it
            entries = [kept for block in library.failed_blocks if (kept := getattr(block, "ignore_error_block", None))]
    except Exception as error:  # a reader of strangers' files: whatever it stumbles over is that entry's fault
        return f"can't be read: {type(error).__name__}"
    if not entries:
        return f"can't be read: {(failed or ['no entry found'])[0][:200]}"
    return {field.key.lower(): str(field.value).strip() for field in entries[0].fields}


def _by_hand(piece: str) -> Fields:
    """What can be had of an entry that is no BibTeX: each "name = value" that begins a line."""
    starts = list(_FIELD.finditer(piece))
    ends = [*(match.start() for match in starts[1:]), len(piece)]
    return {
        match.group(1).lower(): " ".join(piece[match.end() : end].strip().rstrip("},").strip('{}", ').split())
        for match, end in zip(starts, ends, strict=False)
    }


def _record(kind: str, fields: Fields | str) -> Record | str:
    if isinstance(fields, str):
        return fields
    title = _plain(fields, "title")
    doi = next((found for key in ("doi", "url", "ee", "note") if (found := clean_doi(fields.get(key)))), None)
    if not title and not doi:
        return "neither title nor DOI"
    published = _published(fields)
    return Record(
        source=NAME,
        source_key=doi or _digest(fields),
        title=title,
        authors=names(name(one) for one in _people(fields.get("author") or fields.get("editor") or "")),
        year=clean_year(fields.get("year")) or clean_year(fields.get("date")),
        published=published,
        container_title=next((text for key in _PLACES if (text := _plain(fields, key))), None),
        volume=_plain(fields, "volume"),
        issue=_plain(fields, "number") or _plain(fields, "issue"),
        pages=plain(re.sub(r"\s*[-–—]+\s*", "-", fields.get("pages", "")), 100),
        doi=doi,
        pmid=clean_pmid(fields.get("pmid")),
        pmcid=clean_pmcid(fields.get("pmcid")),
        issn=clean_issn(fields.get("issn")),
        isbn=clean_isbn(fields.get("isbn")),
        url=link(fields.get("url")) or link(f"https://doi.org/{doi}" if doi else None),
        abstract=abstract(_unbraced(fields.get("abstract", ""))),
        language=plain(fields.get("language") or fields.get("langid"), 20),
        type=_TYPES.get(kind),
    )


_PLACES = ("journal", "journaltitle", "booktitle", "school", "institution", "publisher")


def _unbraced(text: str) -> str:
    return re.sub(r"(?<!\\)[{}]", "", text).replace("\\", "")


def _plain(fields: Fields, key: str) -> str | None:
    return plain(_unbraced(fields.get(key, "")))


def _people(text: str) -> list[str]:
    """Names between "and"; a body in braces stays whole."""
    text = re.sub(r"^\{([^{}]*\band\b[^{}]*)\}$", r"\1", text.strip())  # braces around all of the names protect none
    whole = re.sub(r"\{[^{}]*\}", lambda braced: re.sub(r"\s+", "\0", braced.group()), text)
    parts = re.split(r"\s+and\s+", whole, flags=re.IGNORECASE)
    return [_unbraced(part).replace("\0", " ") for part in parts if part.strip() and part.strip() != "others"]


def _published(fields: Fields) -> str | None:
    month = fields.get("month", "").strip().lower()
    number = str(_MONTHS.index(month[:3]) + 1) if month[:3] in _MONTHS else month
    return answers.iso_date(fields.get("date")) or answers.iso(fields.get("year"), number, fields.get("day"))


def _digest(fields: Fields) -> str:
    """A key from what the entry says: its own is only its file's."""
    said = "\0".join(fields.get(key, "") for key in ("title", "author", "year", "journal", "booktitle", "pages"))
    return "text:" + hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:20]


SOURCE = Source(NAME, TITLE, parse)
