"""The words of the published pages in the review's language: one catalogue of messages, their keys
the English texts.

`say` and `many` tell a message in the language in force, `mark` names one that is told later.
English needs no catalogue; what another one lacks is told in English. Names in data files (states,
columns, file names) are no messages, nor is what people wrote. Catalogues are gettext's:
livereview/locale/<code>.po, which translators' editors open. After a change of the words `python -m
livereview.messages` makes livereview.pot again, from which `pybabel update` refreshes each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livereview.errors import Refused

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ENGLISH = "en-GB"
PACKAGE = Path(__file__).parent
LOCALE = PACKAGE / "locale"
TEMPLATE = "livereview.pot"
KEYWORDS = {"say": None, "many": (1, 2), "mark": None}
PLACES = {  # where messages are, and how Babel finds them there
    "summary/templates/*.html": "jinja2.ext:babel_extract",
    "summary/*.py": "python",
    "evidence/*.py": "python",
    "surveillance/recall.py": "python",
}
HEADER = "# The messages of livereview's published pages. Made by `python -m livereview.messages`; do not edit.\n"
_FIGURES = re.compile(r"\d{1,3}(?:,\d{3})+|(?<=\d)\.(?=\d)")

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The messages of one language by their English texts, a text for each plural; `plural` tells
    which one n takes.
    """

    code: str
    texts: Mapping[str, tuple[str, ...]]
    plural: Callable[[int], int]

    @property
    def locale(self) -> str:
        """As Babel names it."""
        return self.code.replace("-", "_")


class _Local(float):
    """A number that is written as the language in force does; `shown` keeps whole ones whole."""

    shown: float

    def __format__(self, how: str) -> str:
        return figures(format(self.shown, how))


def languages() -> tuple[str, ...]:
    """The codes that a review may name, English first."""
    return (ENGLISH, *sorted(path.stem for path in LOCALE.glob("*.po")))


def known(code: str) -> str:
    """The code; raises Refused, naming those there are, for one without a catalogue."""
    if code not in languages():
        raise Refused(
            f"there is no translation of the page into {code!r}; choose one of {', '.join(languages())}"
        )
    return code


@contextmanager
def language(code: str) -> Iterator[None]:
    """This language within the block; raises Refused for one without a catalogue."""
    token = _language.set(code if code == _language.get() else known(code))
    try:
        yield
    finally:
        _language.reset(token)


def in_force() -> str:
    """The code of the language that messages are told in now."""
    return _language.get()


def catalogue(code: str) -> Catalogue:
    """The messages of a language other than English, read once.

    Raises:
        Refused: where there are none.
    """
    return _read(LOCALE / f"{code}.po")


@cache
def _read(path: Path) -> Catalogue:
    known(path.stem)
    from babel.messages.pofile import read_po  # only pages in another language wait for Babel

    with path.open("rb") as file:
        found = read_po(file, locale=path.stem.replace("-", "_"))
    texts = {
        _id(one.id): _forms(one.string)
        for one in found
        if one.id and not one.fuzzy and all(_forms(one.string))
    }
    return Catalogue(path.stem, texts, c2py(found.plural_expr))


def _id(id: str | tuple[str, ...] | list[str]) -> str:
    return id if isinstance(id, str) else id[0]


def _forms(told: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    if told is None or isinstance(told, str):
        return (told or "",)
    return tuple(told)


def mark(text: str) -> str:
    """The English text as it is: a message that `say` tells later, by the name it is kept under."""
    return text


def say(text: str, /, **values: Any) -> str:
    """The message in the language in force, its {placeholders} filled as by `str.format`.

    As it is without values.
    """
    told = translated(text)
    return told.format(**local(values)) if values else told


def many(one: str, other: str, n: int, /, **values: Any) -> str:
    """The message for so many, which is the placeholder {n} too."""
    return plural(one, other, n).format(**local({"n": n, **values}))


def translated(text: str) -> str:
    """The message with its placeholders."""
    code = _language.get()
    if code == ENGLISH:
        return text
    return catalogue(code).texts.get(text, (text,))[0]


def plural(one: str, other: str, n: int) -> str:
    """The message for so many with its placeholders."""
    code = _language.get()
    if code != ENGLISH and (forms := catalogue(code).texts.get(one)) and len(forms) > 1:
        return forms[catalogue(code).plural(n)]
    return one if n == 1 else other


def local(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values, numbers so that `str.format` writes them as the language in force does."""
    if _language.get() == ENGLISH:
        return values
    return {name: _localised(value) for name, value in values.items()}


def _localised(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    found = _Local(value)
    found.shown = value
    return found


def figures(number: str) -> str:
    """A number in English figures, such as "1,234.5", as the language in force writes it."""
    if _language.get() == ENGLISH:
        return number
    from babel.numbers import format_decimal, get_decimal_symbol

    where = catalogue(_language.get()).locale

    def written(found: re.Match[str]) -> str:
        text = found.group()
        whole = text.replace(",", "")
        return (
            get_decimal_symbol(where) if text == "." else format_decimal(int(whole), locale=where)
        )

    return _FIGURES.sub(written, number)


def day(date: date) -> str | None:
    """ "3 mars 2026"; None in English, which words.py writes without Babel."""
    if _language.get() == ENGLISH:
        return None
    from babel.dates import format_date

    return format_date(date, format="long", locale=catalogue(_language.get()).locale)


def weekday(number: int) -> str | None:
    """The name of a day as cron counts it, Sunday 0 or 7; None in English, likewise."""
    if _language.get() == ENGLISH:
        return None
    from babel.dates import get_day_names

    return str(get_day_names("wide", locale=catalogue(_language.get()).locale)[(number - 1) % 7])


def template() -> Catalog:
    """All messages of the code and the templates, by the files' names and in their order."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_file

    found = Catalog(project="livereview", charset="utf-8")
    for pattern, method in PLACES.items():
        for path in sorted(PACKAGE.glob(pattern)):
            for _, text, _, _ in extract_from_file(
                method, path, keywords=KEYWORDS, options={"silent": "false"}
            ):
                found.add(text, locations=[(path.relative_to(PACKAGE).as_posix(), None)])  # type: ignore[list-item]
    return found


def written() -> bytes:
    """livereview.pot, the same bytes for the same messages."""
    from io import BytesIO

    from babel.messages.pofile import write_po

    out = BytesIO()
    write_po(out, template(), width=120, omit_header=True, include_lineno=False)
    start = 'msgid ""\nmsgstr ""\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return (HEADER + start).encode() + out.getvalue()


if __name__ == "__main__":
    (LOCALE / TEMPLATE).write_bytes(written())
