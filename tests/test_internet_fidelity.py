"""The tests' small internet against the field's own clients: what satisfies them is near enough to
the real thing.
"""

from __future__ import annotations

import urllib.request
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import pyalex
import pytest
import requests
from Bio import Entrez
from habanero import Crossref, exceptions

from tests.internet import Internet, Work, catalogue

FIRST = date(2026, 3, 1)
WORKS = catalogue(160, FIRST, 40)


def of(source: str) -> set[str]:
    """The DOIs of the works that a source has."""
    return {work["doi"] for work in WORKS if source in work["served"]}


def in_march(source: str) -> set[str]:
    return {
        work["doi"]
        for work in WORKS
        if "2026-03-01" <= work["served"].get(source, "") <= "2026-03-10"
    }


@pytest.fixture
def net() -> Any:
    with Internet(WORKS, datetime(2026, 8, 1, tzinfo=UTC)) as opened:
        yield opened


class _Detour(requests.Session):
    """A session whose requests go to the small internet."""

    def __init__(self, net: Internet):
        super().__init__()
        self._base = net.base

    def get(self, url: str | bytes, **more: Any) -> requests.Response:
        parts = urlsplit(str(url))
        return super().get(
            f"{self._base}/{parts.scheme}/{parts.netloc}{parts.path}?{parts.query}", **more
        )


def test_pyalex_pages_through_all_works_and_selects_by_day(
    net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyalex.api, "_get_requests_session", lambda: _Detour(net))
    pages = pyalex.Works().paginate(per_page=25)
    assert {work["doi"].removeprefix("https://doi.org/") for page in pages for work in page} == of(
        "openalex"
    )
    some = (
        pyalex.Works()
        .filter(from_created_date="2026-03-01", to_created_date="2026-03-10")
        .paginate(per_page=5)
    )
    assert {
        work["doi"].removeprefix("https://doi.org/") for page in some for work in page
    } == in_march("openalex")


def test_habanero_follows_the_cursor_and_hears_of_errors(net: Internet) -> None:
    client = Crossref(base_url=f"{net.base}/https/api.crossref.org")
    pages = client.works(query="children", cursor="*", cursor_max=1_000, limit=20)
    found = {work["DOI"] for page in pages for work in page["message"]["items"]}
    assert found == of("crossref")
    span = {"from_index_date": "2026-03-01", "until_index_date": "2026-03-10"}
    some: Any = client.works(query="children", filter=span, cursor="*", cursor_max=100, limit=100)
    pages = some if isinstance(some, list) else [some]
    assert {work["DOI"] for page in pages for work in page["message"]["items"]} == in_march(
        "crossref"
    )
    net.faults = {"api.crossref.org": "down"}
    with pytest.raises((exceptions.RequestError, RuntimeError, Exception), match="502"):
        client.works(query="children")


def entrez(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Biopython's client ask the small internet, without its waits for the real one."""

    def ask(request: urllib.request.Request) -> Any:
        parts = urlsplit(request.full_url)
        url = f"{net.base}/{parts.scheme}/{parts.netloc}{parts.path}?{parts.query}"
        return urllib.request.urlopen(urllib.request.Request(url, data=request.data))

    monkeypatch.setattr(Entrez, "urlopen", ask)
    monkeypatch.setattr(Entrez, "email", "test@example.org")
    monkeypatch.setattr(Entrez._open, "previous", 0.0)


def test_biopython_searches_with_history_and_fetches_every_record(
    net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrez(net, monkeypatch)
    term = 'children AND ("2026/03/01"[crdt] : "2026/03/10"[crdt])'
    found = Entrez.esearch(db="pubmed", term=term, usehistory="y", retmode="json", retmax=0).read()
    assert f'"count":"{len(in_march("pubmed"))}"' in str(found)
    handle = Entrez.efetch(
        db="pubmed", WebEnv="MCID_recorded", query_key="1", retmode="xml", retmax=500
    )
    ids = {str(one["MedlineCitation"]["PMID"]) for one in Entrez.read(handle)["PubmedArticle"]}
    assert ids == {work["pmid"] for work in in_index("pubmed")}


def in_index(source: str) -> list[Work]:
    return [work for work in WORKS if work["doi"] in in_march(source)]
