"""What somebody types to find reports, read into terms; and the form in which texts are compared.

Nothing that is typed is refused: what is no field or no year is looked for as text.

    query  := (space | term)*
    term   := ["-"] [field ":"] (phrase | word)
    phrase := '"' every character but '"' ('"' | end)
    word   := characters without space and '"'
    field  := title | abstract | author | journal | id | doi | pmid | note | tag | year
              | source | search | type | language

All terms must hold; "-" before a term means that it must not. A word stands for all words that
begin with it, a phrase for just its words in this order. Case and accents do not matter.
`year:2015-2020`, `year:2015-` and `year:2019` are spans of years.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 500  # characters of a query that are read; longer ones come from no keyboard
MOST_TERMS = 20  # each is one more look through all texts

FIELDS = (
    "title",
    "abstract",
    "author",
    "journal",
    "id",
    "note",
    "tag",
    "year",
    "source",
    "search",
    "type",
    "language",
)
ALIASES = {"authors": "author", "doi": "id", "pmid": "id", "notes": "note", "tags": "tag"}

_TERM = re.compile(
    r'(?P<minus>-?)(?:(?P<field>[A-Za-z]+):(?=[^\s]))?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))'
)
_YEARS = re.compile(r"(?P<first>[0-9]{4})?(?P<dash>-)?(?P<last>[0-9]{4})?")
# Scripts that write no space between words: a word of theirs may begin anywhere.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a query.

    Attributes:
        words: What is looked for, folded; for a span of years "".
        field: Where; None: in all texts of a report.
        phrase: Just these words, not also words that begin with the last.
        wanted: False: it must not be there.
        first: The first year of a span; None: no limit.
        last: Its last year; None: no limit.
    """

    words: str
    field: str | None = None
    phrase: bool = False
    wanted: bool = True
    first: int | None = None
    last: int | None = None

    @property
    def needle(self) -> str:
        """What a text in the form of `padded` holds where the words are in it."""
        start = "" if _UNSPACED.match(self.words) and not self.phrase else " "
        return f"{start}{self.words}{' ' if self.phrase else ''}"


def fold(text: str) -> str:
    """The words of a text without case, accents and punctuation, one space apart."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    return _NO_LETTER.sub(" ", text.casefold()).strip()


def padded(text: str | None) -> str:
    """The folded text with a space before and after it, so that each word has both; "" for none."""
    words = fold(text or "")
    return f" {words} " if words else ""


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a query, in the order in which they were typed, each once."""
    terms = [_term(match) for match in _TERM.finditer(text[:LONGEST])]
    kept = dict.fromkeys(term for term in terms if term is not None)
    return tuple(kept)[:MOST_TERMS]


def _term(match: re.Match[str]) -> Term | None:
    """The term that was typed; None where no letter or digit of it is left."""
    wanted = not match["minus"]
    phrase = match["phrase"] is not None
    typed = match["phrase"] if phrase else match["word"]
    name = (match["field"] or "").lower()
    field = ALIASES.get(name, name)
    if field not in FIELDS:
        field = ""
        typed = f"{match['field']} {typed}" if match["field"] else typed
    if field == "year":
        return _years(typed, wanted)
    words = fold(typed)
    if not words:
        return None
    return Term(words, field or None, phrase, wanted)


def _years(typed: str, wanted: bool) -> Term:
    """A span of years, or the words `year …` where it is none."""
    span = _YEARS.fullmatch(typed)
    if span is None or not (span["first"] or span["last"]):
        return Term(f"year {fold(typed)}".strip(), None, False, wanted)
    first = int(span["first"]) if span["first"] else None
    last = int(span["last"]) if span["last"] else None
    if not span["dash"]:
        first = last = first if first is not None else last
    return Term("", "year", False, wanted, first, last)


def render(terms: Sequence[Term]) -> str:
    """A query that `parse` reads as these terms."""
    return " ".join(_typed(term) for term in terms)


def _typed(term: Term) -> str:
    minus = "" if term.wanted else "-"
    if term.field == "year":
        return f"{minus}year:{_year(term.first)}-{_year(term.last)}"
    field = f"{term.field}:" if term.field else ""
    if term.phrase:
        return f'{minus}{field}"{term.words}"'
    # words of one term that were no phrase hang together by a sign that is no letter
    return f"{minus}{field}{term.words.replace(' ', '/')}"


def _year(year: int | None) -> str:
    return "" if year is None else f"{year:04}"
