"""What every reader's records have in common, whichever file or answer they came from.

Every page of every source passes here (`protocol.Source`): words that mean "nothing" become
nothing, numbers that a data frame wrote as 12.0 become 12, and no author is a mail address.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from livereview.identifiers import whole_number
from livereview.records import Record, to_json
from livereview.sources import people
from livereview.sources.protocol import Page, Reject
from livereview.sources.text import reject

# Raise it when a rule here, in people or in identifiers changes: stored records are then read again.
RULES_VERSION = "3"
# In lower case, without the brackets and full stops around them.
_NOTHING_WORDS = """
na|n/a|n.a|nan|nat|none|null|nil|undefined|unknown|missing|#n/a|#name?|#name|#value|#ref|#null
not available|not applicable|no data|not specified|not provided|not given|not reported|not found
no title|no title available|title not available|untitled document|no journal|no date
|n.d|n. d|s.n|s. n|s.l|s. l|s.l.: s.n|s.l. : s.n|tbd|tba"""
_NOTHING = frozenset(_NOTHING_WORDS.strip().replace("\n|", "|").replace("\n", "|").split("|"))
_NO_ABSTRACT = re.compile(
    r"(?:there is |this (?:article|item|record) (?:has|does not have) )?(?:an? |the )?"
    r"(?:no (?:english )?abstracts?|abstracts? (?:is |are )?(?:not|un)\s?(?:available|applicable|provided"
    r"|supplied|included|present)|abstract (?:is )?(?:available|provided) (?:from|by|at|on|in) .{0,60}"
    r"|abstract|summary not available|no summary|abstract from authors?|abstract: (?:none|n/?a)"
    r"|(?:this |the )?abstract (?:is )?not (?:yet )?available"
    r"|kein(?:e)? (?:abstract|zusammenfassung) (?:verfügbar|vorhanden)|resumen no disponible"
    r"|résumé non disponible|resumo não disponível)"
    r"(?: (?:is |was |currently )?(?:available|provided|supplied|found|given|included|present|exists?))?"
    r"(?: (?:for|from|of|in|on|at) (?:this|the) .{0,40})?",
    re.IGNORECASE,
)
# As a title or the name of a body these may be meant: "None" is a novel, "Null" a family.
_MAY_BE_MEANT = re.compile(r"[A-Z][a-z]+")
_NO_PAGES = re.compile(
    r"(?:pp?\.?\s*)?(?:no pagination(?: specified)?|n\.?\s?pag\.?|not paginated|unpaginated|np)",
    re.IGNORECASE,
)
# What stands in a volume, an issue or pages before there is one.
_NOT_YET = re.compile(
    r"in press|(?:e-?pub(?:lished)? )?(?:online )?ahead[ -]of[ -]print|forthcoming|online[ -]first"
    r"|first[ -]online|early[ -](?:access|view|online)|advance[ -](?:access|online publication)"
    r"|published online|to appear",
    re.IGNORECASE,
)
_TAGS = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_AROUND = " .,;:-–—_[](){}<>\"'*/\\?!"
_FLOATS = re.compile(r"(\d{1,9})\.0+(?:\s*([-–])\s*(\d{1,9})\.0+)?")
LONGEST_NOTICE = 500  # characters of a sentence that there is no abstract
_TEXTS = ("container_title", "volume", "issue", "pages", "language", "type")


def is_nothing(text: str | None) -> bool:
    """Whether a text says only that there is none: "NA", "nan", "[Not available]", "."."""
    if text is None:
        return True
    bare = text.strip(_AROUND).casefold()
    return not bare or bare in _NOTHING


def something(text: str | None) -> str | None:
    """The text, or None where it only says that there is none."""
    return None if is_nothing(text) else text


def is_no_abstract(text: str) -> bool:
    """Whether it stands where an abstract would and says that there is none."""
    if len(text) > LONGEST_NOTICE:
        return False
    text = _TAGS.sub("", text)
    return is_nothing(text) or bool(_NO_ABSTRACT.fullmatch(text.strip(_AROUND)))


def number(text: str | None) -> str | None:
    """A volume, issue or span of pages without the ".0" of a data frame: "12.0-20.0" is "12-20"."""
    if text is None:
        return None
    floats = _FLOATS.fullmatch(text.strip())
    if floats is None:
        return whole_number(text)
    return "".join(part for part in floats.groups() if part)


def tidied(record: Record) -> Record:
    """The record without words that mean "nothing", floats and what is no author.

    Doing it again changes nothing.
    """
    changes: dict[str, object] = {}
    for field in _TEXTS:
        value = getattr(record, field)
        if value is not None and is_nothing(value):
            changes[field] = None
    for field in ("volume", "issue", "pages"):
        value = getattr(record, field)
        if field in changes or value is None:
            continue
        if _NOT_YET.fullmatch(value.strip(_AROUND)):
            changes[field] = None
        elif number(value) != value:
            changes[field] = number(value)
    if record.pages and _NO_PAGES.fullmatch(record.pages.strip(" [].")):
        changes["pages"] = None
    if record.abstract is not None and is_no_abstract(record.abstract):
        changes["abstract"] = None
    tidy_names = [name for author in record.authors if (name := people.tidy(author))]
    authors = people.rejoined(tidy_names)
    if authors != record.authors:
        changes["authors"] = authors
    tidy = replace(record, **changes) if changes else record  # type: ignore[arg-type]
    return _titled(tidy)


def _titled(record: Record) -> Record:
    """The record without a title that is none; "None" is one where anything else is known of it."""
    title = record.title
    if title is None or not is_nothing(title):
        return record
    known_otherwise = record.authors or record.abstract or record.doi or record.pmid
    if known_otherwise and _MAY_BE_MEANT.fullmatch(title):
        return record
    return replace(record, title=None)


def tidied_page(page: Page) -> Page:
    """The page with its records tidied; one of which nothing is left becomes a reject."""
    records: list[Record] = []
    rejects: list[Reject] = []
    for number_, record in enumerate(page.records):
        tidy = tidied(record)
        if record.title and not tidy.title and not _has_key(tidy):
            raw = json.dumps(to_json(record), ensure_ascii=False)
            rejects.append(reject("no title and no id", f"record[{number_}]", raw))
        else:
            records.append(tidy)
    if not rejects and tuple(records) == page.records:
        return page
    return replace(page, records=tuple(records), rejects=(*page.rejects, *rejects))


def _has_key(record: Record) -> bool:
    """Whether the record is found again by an identifier, and not only by what it says."""
    written_here = record.source_key.startswith(("hash:", "text:"))
    return bool(record.doi or record.pmid or record.pmcid) or not written_here
