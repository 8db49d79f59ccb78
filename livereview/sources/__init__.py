"""The sources livereview can read. A new one is a file here, a line in SOURCES and a recorded case under tests."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from livereview.errors import Refused
from livereview.sources import (
    arxiv,
    bibtex,
    biorxiv,
    citations,
    clinicaltrials,
    core,
    crossref,
    csl,
    csv,
    datacite,
    doaj,
    endnote,
    eric,
    europepmc,
    feed,
    nbib,
    oai,
    openaire,
    openalex,
    osf,
    page,
    pubmed,
    retractionwatch,
    ris,
    semanticscholar,
    tip,
    unpaywall,
    wos,
    zenodo,
)
from livereview.sources.protocol import Source

_SEARCHED: tuple[Any, ...] = (openalex, crossref, pubmed, europepmc, semanticscholar, arxiv, doaj, core, eric)
_SEARCHED += (datacite, openaire, biorxiv, osf, clinicaltrials, zenodo, oai, feed, page, citations)
_LOOKED_UP = (unpaywall, retractionwatch)
_BROUGHT = (ris, nbib, wos, bibtex, endnote, csl, csv, tip)
_MODULES = (*_SEARCHED, *_LOOKED_UP, *_BROUGHT)
SOURCES: dict[str, Source] = {module.SOURCE.name: module.SOURCE for module in _MODULES}


def find(name: str) -> Source:
    """The source of this name, or a third party's, named "package.module:Attribute"; raises Refused for neither."""
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
    return found
