"""BibTeX and biblatex, read by a scanner of its own: one damaged entry costs no other, and time
grows with size only.

Every @entry but @string, @comment and @preamble is a record or a reject. LaTeX becomes plain text;
names are kept as "von Family, Given, Jr"; what stands in braces is one name.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from pylatexenc.latex2text import LatexNodes2Text

from livereview.errors import SourceBroken
from livereview.records import (
    Record,
    clean_doi,
    clean_isbn,
    clean_issn,
    clean_pmcid,
    clean_pmid,
    clean_year,
)
from livereview.sources import answers, people, tagged
from livereview.sources.protocol import Page, Source
from livereview.sources.text import abstract, link, name, names, plain

NAME = "bibtex"
TITLE = "BibTeX"
_ENTRY = re.compile(r"(?:^|(?<=[})]))[ \t]*@\s*([A-Za-z]+)\s*([{(])", re.MULTILINE)
_GAP = re.compile(r"(?:[\s,]+|(?<!\\)%[^\n]*)*")  # between fields: commas, blanks and comments
# Scopus: "funding_text 1"
_FIELD = re.compile(r"([^\s=,{}()\"#%]+(?:[^\S\n][^\s=,{}()\"#%]+){0,2})\s*=\s*")
_LABEL = re.compile(r"([^=,{}\"]*)(?=[,})])")
_WORD = re.compile(r"[^\s,#{}()\"=]+")
_WHOLE_LINE = re.compile(
    r"^[ \t]*([A-Za-z][\w-]*)[ \t]*=[ \t]*[{\"](.*)[}\"],?[ \t]*$", re.MULTILINE
)
_LAST_LINE = re.compile(r"\n[ \t]*[})]\s*\Z")
_BRACES = re.compile(r"[{}]")
_UNESCAPED = re.compile(r"(?<!\\)[{}]")
_CLOSING_QUOTE = re.compile(r"\"(?=\s*(?:[,#})]|\Z|\n))|[{}]")
_JOIN = re.compile(r"(?:(?<!\s)\s++)?#\s*")
LARGEST = 1_000_000  # characters of a field: macros made of macros could grow without end
_ASIDE = ("string", "comment", "preamble")
_MONTHS = {month: number for number, month in enumerate(tagged.MONTHS, start=1)}
_TYPES = {
    **dict.fromkeys(("article", "review", "suppperiodical"), "journal-article"),
    **dict.fromkeys(("inproceedings", "conference"), "conference-paper"),
    **dict.fromkeys(
        ("book", "mvbook", "booklet", "collection", "mvcollection", "proceedings", "reference"),
        "book",
    ),
    **dict.fromkeys(
        ("incollection", "inbook", "bookinbook", "suppbook", "inreference"), "book-chapter"
    ),
    **dict.fromkeys(("phdthesis", "mastersthesis", "masterthesis", "thesis"), "thesis"),
    **dict.fromkeys(("techreport", "report"), "report"),
    **dict.fromkeys(("online", "www", "electronic", "webpage"), "web-page"),
    "dataset": "dataset",
    "unpublished": "manuscript",
    "patent": "patent",
    "software": "software",
}
_PLACES = (
    "fjournal",
    "journal",
    "journaltitle",
    "booktitle",
    "maintitle",
    "school",
    "institution",
    "publisher",
)
_OWN = (
    "title",
    "subtitle",
    "author",
    "doi",
    "url",
    "abstract",
    "pages",
    "note",
    "eprint",
    "pmid",
    "pmcid",
    "crossref",
)
_LABELLED = (
    "inproceedings",
    "conference",
    "incollection",
    "inbook",
    "suppbook",
    "bookinbook",
    "inreference",
)
Fields = dict[str, str]


def parse(body: bytes, cursor: str | None) -> Page:
    """Every entry as a record or a reject.

    SourceBroken for a file in which no entry can be read.
    """
    lines = tagged.read_lines(body)
    items = list(_items("\n".join(lines)))
    if not items:
        raise tagged.foreign(lines, "this is not BibTeX: no line starts an @entry", NAME)
    wrong = [item.first("@wrong") for item in items]
    if all(wrong):
        raise SourceBroken(
            f"none of the {len(items)} entries of this file can be read: {wrong[0]}", source=NAME
        )
    entries = [item for item in items if item.first("@kind") not in _ASIDE]
    labels = {label.lower(): item for item in reversed(entries) if (label := item.first("@label"))}
    page = tagged.read_page(entries, lambda item: _record(item, labels))
    if wrong[-1]:
        return replace(page, warnings=(tagged.BROKEN_OFF,))
    return page


def _items(text: str) -> Iterator[tagged.Entry]:
    """Each @entry: its fields by name, its kind and label under "@kind" and "@label", a fault under
    "@wrong".
    """
    macros: Fields = {}
    closes = True
    at, line, end = 0, 1, 0
    starts = list(_ENTRY.finditer(text))
    for match, following in zip(starts, [*starts[1:], None], strict=False):
        line, at = line + text.count("\n", at, match.start(1)), match.start(1)
        if match.start() < end:  # within the comment before it
            continue
        kind, piece = (
            match.group(1).lower(),
            text[match.start() : following.start() if following else len(text)],
        )
        if kind == "comment" and closes and match.group(2) == "{":
            end = _balanced(text, match.end())
            # else each later one would be searched to the end of the file as well
            closes = end > match.end()
        item = tagged.Entry(line, [("@kind", [kind])], [piece.strip()])
        if kind not in ("comment", "preamble"):
            _fill(item, piece, match.end() - match.start(), macros)
        yield item


def _balanced(text: str, start: int) -> int:
    """Where a comment's braces close.

    Its start where they don't: then it is no longer than its line.
    """
    try:
        return _closing(text, start, _BRACES, len(text)) + 1
    except ValueError:
        return start


def _fill(item: tagged.Entry, piece: str, start: int, macros: Fields) -> None:
    r"""Scan one entry, its braces as TeX counts them.

    And once more with \{ as a mere character, if they are odd.
    """
    for braces in (_BRACES, _UNESCAPED):
        try:
            label, fields = _scan(piece, start, macros, braces)
        except ValueError as error:
            wrong = str(error)
            continue
        if item.first("@kind") == "string":
            macros.update(fields)
        if not fields:
            wrong = "the entry has no fields"
            continue
        item.add("@label", label)
        for key, value in fields:
            item.add(key, value)
        return
    rescued = _by_lines(piece) if item.first("@kind") != "string" else []
    for key, value in rescued or [("@wrong", wrong)]:
        item.add(key, value)


def _by_lines(piece: str) -> list[tuple[str, str]]:
    """The fields of an entry with odd braces (EBSCO's keywords) of which each has a line and the
    end has its own.
    """
    found = [(key.lower(), value) for key, value in _WHOLE_LINE.findall(piece)]
    if _LAST_LINE.search(piece) and any(key == "title" for key, _ in found):
        return found
    return []


def _scan(
    piece: str, at: int, macros: Fields, braces: re.Pattern[str]
) -> tuple[str, list[tuple[str, str]]]:
    """The label and fields of an entry whose text begins at `at`; ValueError says what is wrong."""
    label = _LABEL.match(piece, at)
    at = label.end() if label else at
    fields: list[tuple[str, str]] = []
    while True:
        gap = _GAP.match(piece, at)
        at = gap.end() if gap else at
        if at >= len(piece):
            raise ValueError("the entry has no end: a brace or quotation mark is missing")
        if piece[at] in "})":
            return label.group(1).strip() if label else "", fields
        field = _FIELD.match(piece, at)
        if not field:
            raise ValueError(f"no field begins at {' '.join(piece[at : at + 40].split())!r}")
        value, at = _value(piece, field.end(), macros, braces)
        fields.append((field.group(1).lower(), value))


def _value(piece: str, at: int, macros: Fields, braces: re.Pattern[str]) -> tuple[str, int]:
    """Parts joined by #: text in braces, in quotation marks, a number, a macro.

    And where they end.
    """
    said: list[str] = []
    while True:
        opening = piece[at : at + 1]
        if opening in ("{", '"') and opening:
            end = _closing(piece, at + 1, braces if opening == "{" else _CLOSING_QUOTE, len(piece))
            said.append(piece[at + 1 : end])
            at = end + 1
        elif word := _WORD.match(piece, at):
            said.append(macros.get(word.group().lower(), word.group()))
            at = word.end()
        elif opening not in (",", "}", ")"):
            raise ValueError("a field has no value")
        if sum(map(len, said[-2:])) > LARGEST or len(said) > 1_000:
            raise ValueError(
                f"a field is longer than {LARGEST:,} characters or joined from more than 1,000 parts"
            )
        more = _JOIN.match(piece, at)
        if not more:
            return "".join(said)[:LARGEST], at
        at = more.end()


def _closing(text: str, start: int, signs: re.Pattern[str], limit: int) -> int:
    depth = 0
    for match in signs.finditer(text, start, limit):
        sign = match.group()[0]
        if depth == 0 and sign in '"}' and not (sign == "}" and signs is _CLOSING_QUOTE):
            return match.start()
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    raise ValueError("the entry has no end: a brace or quotation mark is missing")


def _record(item: tagged.Entry, labels: dict[str, tagged.Entry]) -> Record | str:
    if wrong := item.first("@wrong"):
        return wrong
    kind = item.first("@kind") or ""
    fields = _inherited(kind, _said(item), labels)
    title = ": ".join(
        filter(None, (_plain(fields, "title"), _plain(fields, "subtitle")))
    ) or _plain(fields, "booktitle")
    doi = next(
        (
            found
            for key in ("doi", "url", "ee", "note")
            if (found := clean_doi(_address(fields, key)))
        ),
        None,
    )
    if not title and not doi:
        return "neither title nor DOI"
    archive = (fields.get("eprinttype") or fields.get("archiveprefix") or "").lower()
    eprint = fields.get("eprint", "") if archive in ("pubmed", "pmid") else None
    noted = re.search(r"PMID:?\W*(\d+)", fields.get("note", ""))
    return Record(
        source=NAME,
        source_key=doi or "",
        title=title,
        authors=names(
            _person(one) for one in _people(fields.get("author") or fields.get("editor") or "")
        ),
        year=clean_year(fields.get("year")) or clean_year(fields.get("date")),
        published=_published(fields),
        container_title=next((text for key in _PLACES if (text := _plain(fields, key))), None),
        volume=_plain(fields, "volume", 100),
        issue=_plain(fields, "number", 100) or _plain(fields, "issue", 100),
        pages=_pages(fields),
        doi=doi,
        pmid=clean_pmid(fields.get("pmid") or eprint or (noted.group(1) if noted else None)),
        pmcid=clean_pmcid(fields.get("pmcid")),
        issn=clean_issn(fields.get("issn")) or clean_issn(fields.get("eissn")),
        isbn=clean_isbn(fields.get("isbn")),
        url=link(_address(fields, "url")) or _link_of(doi, archive, fields),
        abstract=abstract(latex(fields.get("abstract", ""))),
        language=_plain(fields, "language", 20) or _plain(fields, "langid", 20),
        type=_TYPES.get(kind) or ("preprint" if archive == "arxiv" else None),
    )


def _said(item: tagged.Entry) -> Fields:
    """The fields by name; the first counts where one is given twice."""
    return {key: tagged.joined(lines) for key, lines in reversed(item.values)}


def _inherited(kind: str, fields: Fields, labels: dict[str, tagged.Entry]) -> Fields:
    """With what the entry named in crossref (or xdata) adds: never what is that one's own, its
    title as booktitle.
    """
    for key in ("crossref", "xdata"):
        parent = labels.get(fields.get(key, "").lower())
        if parent:
            said = _said(parent)
            if kind in _LABELLED and "booktitle" not in said and "title" in said:
                said["booktitle"] = said["title"]
            own = _OWN if key == "crossref" else ("crossref",)
            fields = {
                name: text for name, text in said.items() if name not in own and name[0] != "@"
            } | fields
    return fields


def _plain(fields: Fields, key: str, limit: int = 1_000) -> str | None:
    return plain(latex(fields.get(key, "")), limit)


def _address(fields: Fields, key: str) -> str:
    """A DOI or address without LaTeX: its ~ and & are its own."""
    text = re.sub(r"\\(?:textasciitilde|~|sim)(?![a-z])(?:\{\})?", "~", fields.get(key, ""))
    text = re.sub(r"\\(?:url|href|path)(?![a-z])", "", text)
    return re.sub(r"[{}]", "", re.sub(r"\\([_%&#$~{}-])", r"\1", text)).strip()


def _link_of(doi: str | None, archive: str, fields: Fields) -> str | None:
    if archive == "arxiv" and (number := _address(fields, "eprint")) and not doi:
        return link(f"https://arxiv.org/abs/{number}")
    return link(f"https://doi.org/{doi}" if doi else None)


def _pages(fields: Fields) -> str | None:
    """Pages with one hyphen; else the number of the article, as journals without pages have one."""
    said = (
        _plain(fields, key, 100) for key in ("pages", "articleno", "art_number", "article-number")
    )
    return re.sub(r"(?:(?<!\s)\s++)?[-‐-―]+\s*", "-", next(filter(None, said), "")) or None


def _people(text: str) -> list[str]:
    """Names between "and", outside braces; without the "others"."""
    inner = text.strip()[1:-1]
    inverted = " and " in inner and all("," in part for part in inner.split(" and "))
    if inverted and text.strip().startswith("{") and not re.search(r"[{}]", inner):
        text = inner  # braces around a list of inverted names protect none of them
    parts, depth, begun = [], 0, 0
    for match in re.finditer(r"[{}]|(?<=\s)and(?=\s)", text, re.IGNORECASE):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if len(match.group()) == 3 and depth <= 0:
            parts.append(text[begun : match.start()])
            begun = match.end()
    parts.append(text[begun:])
    if len(parts) == 1 and len(listed := _outside(html.unescape(text), ";")) > 1:
        parts = listed  # no name has a semicolon: it parts them in lists that are no BibTeX
    elif len(parts) == 2:
        parts = people.join_bodies([part.strip() for part in parts], sure_only=True)
    return [
        part.strip()
        for part in parts
        if part.strip(" {},") and part.strip(" {},") not in ("others", "et al.")
    ]


def _person(text: str) -> str | None:
    """A name by BibTeX's rules ("First von Last", "von Last, Jr, First"); a body stays whole."""
    parts = [latex(part).strip() for part in _outside(text, ",")]
    if len(parts) > 1:
        return name(parts[0], ", ".join(part for part in (*parts[2:], *parts[1:2]) if part) or None)
    words = [latex(word).strip() for word in _outside(text, None)]
    words = [word for word in words if word]
    if len(words) < 2 or _BODY.search(" ".join(words)):
        return name(" ".join(words))
    if re.fullmatch(r"(?:[A-Z]\.?-?){1,3}", words[-1]):  # "Liu F.", as Scopus has them
        return name(" ".join(words[:-1]), words[-1])
    small = next(
        (n for n, word in enumerate(words[1:-1], start=1) if word[0].islower()), len(words) - 1
    )
    return name(" ".join(words[small:]), " ".join(words[:small]))


_BODY = re.compile(
    r"\b(?:of|for|the|and|on|et|für|pour|universit\w*|organi[sz]ation|department|council|committee|association"
    r"|ministry|institut\w*|group|consortium|society|collaboration|network|team|agency|commission|office)\b|&",
    re.IGNORECASE,
)


def _outside(text: str, sign: str | None) -> list[str]:
    """`text` split at `sign` (None: blanks and ~) where no brace is open."""
    parts, depth, begun = [], 0, 0
    for match in re.finditer(r"[{}]|" + (re.escape(sign) if sign else r"(?<!\\)[\s~]+"), text):
        if match.group() in "{}":
            depth += 1 if match.group() == "{" else -1
        elif depth <= 0:
            parts.append(text[begun : match.start()])
            begun = match.end()
    return [*parts, text[begun:]]


def _published(fields: Fields) -> str | None:
    """The date as exact as it is; "MAR 1" and "10~mar" hold a day."""
    said = latex(fields.get("month", "")).lower()
    word = re.search(r"[a-z]{3}", said)
    number = _MONTHS.get(word.group()) if word else None
    digits = re.search(r"\d+", said)
    day = fields.get("day") or (digits.group() if digits and number else None)
    if number:
        month = str(number)
    elif digits:
        month = digits.group()
    else:
        month = None
    ranged = number and len(re.findall(r"[a-z]{3,}", said)) > 1
    year = clean_year(fields.get("year"))
    return answers.iso_date(fields.get("date")) or answers.iso(
        str(year) if year else None, None if ranged else month, None if ranged else day
    )


# LaTeX
# ----------------------------------------------------------------------------------------------------------------

_MARKS = dict(
    zip(
        "`'^\"~=.uvHcdbrk",
        "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u0323\u0331\u030a\u0328",
        strict=True,
    )
)
_LETTER = r"(?:\{\s*(\\[ij]|[^\W\d_])\s*\}|(\\[ij](?![A-Za-z])(?:\{\})?|[^\W\d_]))"
_ACCENTS = (
    re.compile(r"\\([`'^\"~=.])\s*" + _LETTER),
    re.compile(r"\\([uvHcdbrk])(?:\s+|(?=[{\\]))" + _LETTER),
)
_MATH = re.compile(r"(?<!\\)\$([^$\n]{0,300})\$")
_SHIFTED = re.compile(r"([_^])(?:\{([^{}]{0,40})\}|([\w+-]))")
_SMALL = {
    "^": str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"),
    "_": str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋"),
}
_WORDS = (("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"))
_TEX = re.compile(r"[\\${}~]|--|``|''")
_KNOWN = {"textless": "<", "textgreater": ">", "textquotesingle": "'", "lt": "<", "gt": ">"}
_KEPT = str.maketrans("\ue000\ue001\ue002", "{}$")


def latex(text: str) -> str:
    """Plain text of LaTeX: accents, symbols, small figures and dashes as Unicode, commands and
    braces gone.
    """
    text = text[:100_000]
    if not _TEX.search(text):
        return text
    for plain_sign, kept in (("\\{", "\ue000"), ("\\}", "\ue001"), ("\\$", "\ue002")):
        text = text.replace(plain_sign, kept)
    text = re.sub(
        r"\\(?:text(?:rm|normal|it|bf)?|math(?:rm|it|bf)|ensuremath|mbox|emph)(?![A-Za-z])\s*",
        "",
        text,
    )
    text = _MATH.sub(_math, text)
    for accents in _ACCENTS:
        text = accents.sub(_accented, text)
    text = re.sub(
        r"\\([A-Za-z]+)\*?(?:\{\}|\s+|(?![A-Za-z]))", lambda match: _symbol(match.group(1)), text
    )
    text = re.sub(
        r"\\([^A-Za-z])",
        lambda match: {
            "\\": " ",
            ",": " ",
            ";": " ",
            ":": " ",
            "-": "",
            "/": "",
            "~": "\ue003~",
        }.get(c := match.group(1), c),
        text,
    )
    text = re.sub(r"(?<!\ue003)~", " ", text).replace("\ue003", "")
    for typed, meant in _WORDS:
        text = text.replace(typed, meant)
    return text.replace("{", "").replace("}", "").translate(_KEPT)


def _math(match: re.Match[str]) -> str:
    inner = match.group(1)
    if not re.search(r"[\\_^{]", inner) and not re.fullmatch(r"\s*[\w<>=+/().-]{1,12}\s*", inner):
        return match.group()  # two prices, not a formula
    inner = re.sub(r"\{([\w+-]{0,40})\}(?=\})", r"\1", inner)
    return _SHIFTED.sub(
        lambda found: (found.group(2) or found.group(3) or "").translate(_SMALL[found.group(1)]),
        inner,
    )


def _accented(match: re.Match[str]) -> str:
    letter = (match.group(2) or match.group(3)).removesuffix("{}").removeprefix("\\")
    return unicodedata.normalize("NFC", letter + _MARKS[match.group(1)])


@lru_cache(maxsize=2_000)
def _symbol(command: str) -> str:
    r"""What "\alpha", "\ss" or "\textless" print; nothing for a command that only formats."""
    shown = _KNOWN.get(command) or str(LatexNodes2Text().latex_to_text(f"\\{command}{{}}")).strip()
    return "\ue003~" if shown == "~" else shown


SOURCE = Source(NAME, TITLE, parse)
