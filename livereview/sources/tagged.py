"""What the files of tagged lines have in common: RIS and its dialects, PubMed's .nbib, Web of
Science.

A publisher writes a tag and a value on a line, people merge such files, mail them and open them in
a spreadsheet. Here is how their bytes become lines, their lines entries, and their entries a Page
in which none is lost.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from livereview import decoding
from livereview.errors import SourceBroken
from livereview.records import Record
from livereview.sources.protocol import Page, Reject
from livereview.sources.text import reject

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
BROKEN_OFF = "the file breaks off in its last record: export it again"
# how the formats that people bring look, and what to do with each; the first that fits
_KINDS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), advice)
    for pattern, advice in (
        (r"\A\s*\Z", "this file is empty: export it again"),
        (r"\A%PDF", "this is a PDF, which holds no records: export RIS from the database"),
        (
            r"\APK[\x03-\x07]",
            "this looks like an Excel or ZIP file: save the sheet as CSV, or unpack it",
        ),
        (r"\A\x1f", "this looks like a gzip file: unpack it"),
        (
            r"\A\s*<(?:!doctype\s+html|html|head|body)\b",
            "this looks like a web page: download the export file again",
        ),
        (
            r"<Pubmed(?:Book)?ArticleSet\b|<MedlineCitation\b",
            "this looks like PubMed XML: use pubmed",
        ),
        (
            r"\A\s*(?:<\?xml[^>]*>\s*)?<(?:xml|records)\b",
            "this looks like EndNote XML: use endnote",
        ),
        (r"\A\s*<[a-z?!]", "this looks like XML"),
        (r"\A\s*[\[{]\s*[{\"]", "this looks like JSON: use csl"),
        (r"^[ \t]*@[a-z]+\s*[{(]", "this looks like BibTeX: use bibtex"),
        (r"^[ \t]*(?:\d+\.[ \t]+)?TY {0,2}-(?:\s|$)", "this looks like RIS: use ris"),
        (r"^PMID ?- ?\d|^OWN  ?- ", "this looks like PubMed's tagged format: use nbib"),
        (
            r"^FN (?:Clarivate|Thomson|ISI)|^PT [A-Z]$|\A\W*PT\tAU\t",
            "this looks like Web of Science: use wos",
        ),
        (
            r"^\s?<\d+\. ?>\s*$|^VN {1,2}- Ovid|^RT \w|^%0 \w",
            "this looks like Ovid, RefWorks or EndNote: use ris",
        ),
        (
            r"\A(?=[^\n]*(?:title|abstract|author|doi\b))[^,;\t\n]*[,;\t]",
            "this looks like a table: use csv",
        ),
    )
)


@dataclass(slots=True)
class Entry:
    """Tags and the lines of their values, in the order of the file; `raw` are all its lines, for a
    reject.
    """

    number: int
    values: list[tuple[str, list[str]]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    def all(self, *tags: str) -> list[str]:
        """The values of the first tag, then those of the second, …: none of them empty."""
        return [
            text
            for tag in tags
            for name, lines in self.values
            if name == tag and (text := joined(lines))
        ]

    def first(self, *tags: str) -> str | None:
        return next(iter(self.all(*tags)), None)

    def add(self, tag: str, text: str | None) -> None:
        """One more value, unless there is none."""
        if text:
            self.values.append((tag, [text]))

    def renamed(self, table: Mapping[str, str]) -> Entry:
        """The entry with the tags of `table` by their new names, and without all others."""
        return Entry(
            self.number,
            [(table[tag], lines) for tag, lines in self.values if tag in table],
            self.raw,
        )


def joined(lines: list[str]) -> str:
    return "\n".join(lines).strip()


def read_lines(body: bytes) -> list[str]:
    """The lines of a file in any usual encoding, whichever sign ends them."""
    text = decoding.decode(body).text
    return [line.lstrip("\ufeff") for line in re.split(r"\r\n|\r|\n", text)]


def split(
    lines: list[str], tagged: re.Pattern[str], opens: Callable[[str, Entry, bool], bool]
) -> list[Entry]:
    """Entries of tagged lines, each from where `opens(tag, the entry before, whether a blank line
    came)` says so.

    `tagged` gives the tag and its value; any other line goes on with the value above it, and one
    before all is dropped.
    """
    found: list[Entry] = []
    blank = True
    for number, line in enumerate(lines, start=1):
        match = tagged.fullmatch(line)
        if match and opens(match.group(1), found[-1] if found else Entry(0), blank):
            found.append(Entry(number))
        if found and match:
            found[-1].values.append((match.group(1), [match.group(2) or ""]))
        elif found:
            found[-1].values[-1][1].append(line)
        if found:
            found[-1].raw.append(line)
        blank = not line.strip()
    return found


def split_at_blanks(
    lines: list[str], tagged: re.Pattern[str], opener: str, titles: Collection[str]
) -> list[Entry]:
    """Entries that blank lines part, whatever order their tags come in.

    `opener` is the tag with which an entry usually begins, of which it has one; `titles` are those
    of which each has one if it has no opener. Lines behind a blank one that hold neither go on with
    the entry above. Where nothing is parted, or each line by itself, the opener parts.
    """
    found: list[Entry] = []
    blocks = _tags_by_block(lines, tagged)
    parted = _are_parted(lines, tagged, blocks)
    heads = {opener, *titles}
    blank = False
    for number, line in enumerate(lines, start=1):
        match = tagged.fullmatch(line)
        if match:
            before = {tag for tag, _ in found[-1].values} if found else set()
            begins_block = blank and parted and bool(blocks.get(number, set()) & heads)
            only_opened = before == {opener} and opener not in blocks.get(number, set())
            again = match.group(1) == opener and (
                opener in before or (not parted and bool(before & heads))
            )
            if not found or again or (begins_block and before & heads and not only_opened):
                found.append(Entry(number))
            found[-1].values.append((match.group(1), [match.group(2) or ""]))
        elif found:
            found[-1].values[-1][1].append(line)
        if found:
            found[-1].raw.append(line)
        blank = not line.strip()
    return found


def _tags_by_block(lines: list[str], tagged: re.Pattern[str]) -> dict[int, set[str]]:
    """The tags from each line behind a blank one to the next blank one, by the line's number."""
    blocks: dict[int, set[str]] = {}
    current: set[str] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            current = None
            continue
        if current is None:
            current = blocks.setdefault(number, set())
        if match := tagged.fullmatch(line):
            current.add(match.group(1))
    return blocks


def _are_parted(lines: list[str], tagged: re.Pattern[str], blocks: Mapping[int, set[str]]) -> bool:
    """Whether blank lines stand between entries, and not between all lines as in some mails."""
    tags = sum(1 for line in lines if tagged.fullmatch(line))
    begun = sum(1 for block in blocks.values() if block)
    return 1 < begun <= tags / 2 + 1


def read_page(
    entries: Iterable[Entry], read: Callable[[Entry], Record | str], total: int | None = None
) -> Page:
    """Each entry as a record or a reject; `read` gives the record or the reason.

    `total`: the file's own count, if any.

    `read` may leave source_key empty: then it becomes a hash of what the record says.
    """
    records: list[Record] = []
    rejects: list[Reject] = []
    for entry in entries:
        made = read(entry)
        if isinstance(made, Record):
            records.append(made if made.source_key else replace(made, source_key=hash_key(made)))
        else:
            rejects.append(reject(made, f"line {entry.number}", "\n".join(entry.raw)))
    return Page(
        distinct(records),
        None,
        tuple(rejects),
        len(records) + len(rejects) if total is None else total,
    )


def hash_key(record: Record) -> str:
    """A key from what the entry says, for want of an id: title, year and first author.

    And where it stands, as two
    editorials of one year share all of those.
    """
    said = (
        record.title,
        record.year,
        (record.authors or ("",))[0],
        record.container_title,
        record.volume,
        record.pages,
    )
    words = unicodedata.normalize("NFKD", " ".join(str(one or "") for one in said)).casefold()
    return "hash:" + hashlib.sha256(re.sub(r"\W+", " ", words).strip().encode()).hexdigest()[:20]


def distinct(records: list[Record]) -> tuple[Record, ...]:
    """The records with the key of each one's own: entries with different titles are different,
    whatever id they share.

    A number typed twice or a DOI of a whole supplement would otherwise make one the new version of
    the other.
    """
    titles: dict[str, str | None] = {}
    found = []
    for record in records:
        known = titles.setdefault(record.source_key, record.title)
        if (known or "").casefold() != (record.title or "").casefold():
            record = replace(
                record, source_key=f"{record.source_key}#{hash_key(record).removeprefix('hash:')}"
            )
        found.append(record)
    return tuple(found)


def foreign(lines: list[str], missing: str, source: str) -> SourceBroken:
    """The error for a file in another format: what is missing, what the file looks like and what
    reads that.
    """
    sample = "\n".join(line[:2_000] for line in lines[:300])
    fitting = (advice for pattern, advice in _KINDS if pattern.search(sample))
    advice = next((one for one in fitting if not one.endswith(f"use {source}")), None)
    return SourceBroken(f"{missing}; {advice or 'export it as RIS and use ris'}", source=source)
