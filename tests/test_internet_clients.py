"""arXiv, Semantic Scholar and a repository as their own clients know them, and our sources against
the same server.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

import arxiv
import pytest
from semanticscholar import SemanticScholar
from sickle import Sickle

from livereview import sources
from livereview.errors import LivereviewError
from livereview.fetch import Fetcher, paging
from livereview.sources.protocol import Query, Window
from tests.world import Reply, Seen, World, dropped, reply

COUNT, PAGE = 27, 10
TITLES = [f"Study {number} of children & care" for number in range(COUNT)]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OAI = "https://oai.example.org/oai"
ATOM = (
    '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom">'
    "<id>http://arxiv.org/api/x</id><title>ArXiv Query</title><updated>2026-06-01T00:00:00Z</updated>"
    "<opensearch:totalResults>{total}</opensearch:totalResults><opensearch:startIndex>{start}</opensearch:startIndex>"
    "<opensearch:itemsPerPage>{size}</opensearch:itemsPerPage>{entries}</feed>"
)
ENTRY = (
    "<entry><id>http://arxiv.org/abs/2605.{number:05}v1</id><updated>2026-05-02T00:00:00Z</updated>"
    "<published>2026-05-01T00:00:00Z</published><title>{title}</title><summary>About {title}.</summary>"
    '<author><name>Ann Doe</name></author><link href="http://arxiv.org/abs/2605.{number:05}v1" rel="alternate" '
    'type="text/html"/><arxiv:primary_category term="cs.CY"/><category term="cs.CY"/></entry>'
)
RECORD = (
    "<record><header><identifier>oai:x:{number}</identifier><datestamp>2026-05-01</datestamp></header><metadata>"
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>{title}</dc:title><dc:creator>Doe, Ann</dc:creator><dc:date>2026</dc:date></oai_dc:dc></metadata>"
    "</record>"
)


class Libraries(World):
    """The three as one server.

    While `faults` are left each request gets the next of them first, then its answer.
    """

    def __init__(self, faults: bool = False):
        super().__init__()
        self.failed: set[str] | None = set() if faults else None

    def next(self, request: Seen) -> Reply:
        asked = {**request.query, **request.form}
        body = SPEAKERS[request.path.split("/")[2]](asked)
        key = f"{request.path} {sorted(asked.items())}"
        if self.failed is None or key in self.failed:
            return reply(body)
        self.failed.add(key)
        kinds = (
            reply(b"busy", 503),
            dropped(body),
            reply(b"slow down", 429, retry_after=1),
            reply(b""),
        )
        return kinds[len(self.failed) % len(kinds)]


def page(start: int, size: int = PAGE) -> list[tuple[int, str]]:
    return list(enumerate(TITLES))[start : start + size]


def arxiv_answer(asked: dict[str, str]) -> bytes:
    start, size = int(asked.get("start", 0)), min(int(asked.get("max_results", PAGE)), PAGE)
    entries = "".join(ENTRY.format(number=n, title=escape(title)) for n, title in page(start, size))
    return ATOM.format(total=COUNT, start=start, size=size, entries=entries).encode()


def scholar_answer(asked: dict[str, str]) -> bytes:
    start = int(asked.get("token", "0"))
    papers = [
        {"paperId": f"{n:040x}", "title": title, "year": 2026, "authors": []}
        for n, title in page(start)
    ]
    token = str(start + PAGE) if start + PAGE < COUNT else None
    return json.dumps({"total": COUNT, "token": token, "data": papers}).encode()


def repository_answer(asked: dict[str, str]) -> bytes:
    start = int(asked.get("resumptionToken", "0"))
    records = "".join(RECORD.format(number=n, title=escape(title)) for n, title in page(start))
    following = str(start + PAGE) if start + PAGE < COUNT else ""
    return (
        '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-06-01T00:00:00Z'
        f'</responseDate><request verb="ListRecords">{OAI}</request><ListRecords>{records}'
        f'<resumptionToken completeListSize="{COUNT}">{following}</resumptionToken></ListRecords></OAI-PMH>'
    ).encode()


SPEAKERS: Any = {
    "export.arxiv.org": arxiv_answer,
    "api.semanticscholar.org": scholar_answer,
    "oai.example.org": repository_answer,
}


def test_arxivs_own_client_finds_everything() -> None:
    with Libraries() as net:
        client = arxiv.Client(page_size=PAGE, delay_seconds=0)
        client.query_url_format = f"{net.base}/https/export.arxiv.org/api/query?{{}}"
        assert [result.title for result in client.results(arxiv.Search("all:children"))] == TITLES


def test_semantic_scholars_own_client_finds_everything() -> None:
    with Libraries() as net:
        client = SemanticScholar(api_url=f"{net.base}/https/api.semanticscholar.org", retry=False)
        assert [paper.title for paper in client.search_paper("children", bulk=True)] == TITLES


def test_sickle_harvests_everything() -> None:
    with Libraries() as net:
        harvest = Sickle(f"{net.base}/https/oai.example.org/oai").ListRecords(
            metadataPrefix="oai_dc"
        )
        assert [record.metadata["title"][0] for record in harvest] == TITLES


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "faults"])
@pytest.mark.parametrize("name", ["arxiv", "semanticscholar", "oai"])
def test_our_sources_find_the_same_through_every_passing_fault(name: str, faults: bool) -> None:
    query = Query(url=OAI) if name == "oai" else Query("children")
    found: list[str] = []
    with (
        Libraries(faults) as net,
        Fetcher(secrets={}, via=net.base, sleep=lambda seconds: None) as fetcher,
    ):
        for answer in paging.pages(fetcher, sources.find(name), query, Window(None, NOW)):
            found += [
                str(record.title)
                for record in sources.find(name).parse(answer.body, answer.cursor).records
            ]
        assert net.failed is None or len(net.failed) == -(-COUNT // PAGE)
    assert found == TITLES


@pytest.mark.parametrize("name", ["arxiv", "semanticscholar", "oai"])
def test_a_service_that_stays_down_is_no_end(name: str) -> None:
    query = Query(url=OAI) if name == "oai" else Query("children")
    with World() as net, Fetcher(secrets={}, via=net.base, sleep=lambda seconds: None) as fetcher:
        net.always = reply(b"<html><title>502 Bad Gateway</title></html>", 502)
        with pytest.raises(LivereviewError):
            list(paging.pages(fetcher, sources.find(name), query, Window(None, NOW)))
