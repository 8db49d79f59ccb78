"""The sources livereview can read.

A new one is a file here, its name in NAMES and a recorded case under tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module

from livereview import decoding
from livereview.errors import Refused
from livereview.sources import values
from livereview.sources.protocol import Page, Query, Source

_SEARCHED = "openalex crossref pubmed europepmc semanticscholar arxiv doaj core eric datacite openaire biorxiv osf"
_SEARCHED += " clinicaltrials ctis zenodo oai feed page citations"
_SEARCHED += " scopus wosstarter wosexpanded govuk"
_LOOKED_UP = "unpaywall retractionwatch"
_BROUGHT = "ris nbib wos bibtex endnote ictrp csl csv tip"
# in the order in which a file of an unknown kind is tried: a table is what is nothing else
OF_FILES = ("ris", "nbib", "wos", "bibtex", "endnote", "ictrp", "csl", "pubmed", "csv")
NAMES = (*_SEARCHED.split(), *_LOOKED_UP.split(), *_BROUGHT.split())


@cache
def _tidying(source: Source) -> Source:
    """The source with every page tidied that it reads: here all readers pass, ours and others'."""
    read_asked = source.read

    def parse(body: bytes, cursor: str | None) -> Page:
        page = values.tidied_page(source.parse(body, cursor))
        return page if source.request else _noted(page, body)

    def read(body: bytes, query: Query) -> Page:
        assert read_asked is not None
        page = values.tidied_page(read_asked(body, query))
        return page if source.request else _noted(page, body)

    return replace(source, parse=parse, read=read if read_asked else None)


def _noted(page: Page, body: bytes) -> Page:
    """The page of a file with what had to be guessed to read it.

    XML says its encoding itself, and so does the XML in an Excel file.
    """
    if body[:200].lstrip().startswith((b"<", b"PK")):
        return page
    guessed = decoding.note(body)
    if guessed:
        return replace(page, notes=(*page.notes, guessed))
    return page


class _Sources(Mapping[str, Source]):
    """The SOURCE of the module of that name, imported when it is asked for: some bring parsers that
    take a while.
    """

    def __getitem__(self, name: str) -> Source:
        if name not in NAMES:
            raise KeyError(name)
        return _tidying(import_module(f"livereview.sources.{name}").SOURCE)

    def __contains__(self, name: object) -> bool:
        return name in NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


SOURCES: Mapping[str, Source] = _Sources()


def find(name: str) -> Source:
    """The source of this name, or a third party's, named "package.module:Attribute".

    Raises:
        Refused: for neither.
    """
    if name in SOURCES:
        return SOURCES[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        raise Refused(
            f"unknown source {name!r}; choose one of {', '.join(sorted(SOURCES))} or package.module:Attribute"
        )
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise Refused(f"source {name!r} can't be loaded: {error}") from error
    if not isinstance(found, Source):
        raise Refused(f"source {name!r} is not a livereview.sources.protocol.Source")
    return _tidying(found)
