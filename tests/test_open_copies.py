"""Open copies of full texts: read from what sources say, fetched from a local server in the place of
the publishers, and kept with their reports, with what could not be had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.open_copies import MOST_TRIED, fetch_copies
from flows.recheck import due_at, look_up
from livereview import fetch, ops
from livereview.client import Local
from livereview.commands import FindWantedCopies, Judge, Register, TakeOpenCopy
from livereview.errors import Refused
from livereview.settings import Settings
from livereview.sources.open_copies import OpenCopy, told_by
from livereview.store import full_texts, open_copies
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_ops import decide
from tests.world import Reply, World, reply

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
DOI = "10.1000/trial1"
People = Callable[..., Browser]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


@pytest.fixture
def client(settings: Settings, protocol: str) -> Iterator[Local]:
    local = Local(settings)
    local.run(Register(text=protocol, now=NOW))
    yield local
    local.close()


def unpaywall(*places: dict[str, Any], doi: str = DOI) -> bytes:
    return json.dumps(
        {
            "doi": doi,
            "genre": "journal-article",
            "title": "Trial 1",
            "is_oa": True,
            "best_oa_location": places[0] if places else None,
            "oa_locations": list(places),
        }
    ).encode()


def place(url: str, version: str | None = "publishedVersion", licence: str | None = "cc-by") -> Any:
    return {"url_for_pdf": url, "version": version, "license": licence}


def sought(client: Local, *numbers: int) -> list[str]:
    """Reports that wait at full text."""
    ids = found(client.store, *(article(number) for number in numbers))
    for record in ids:
        for person in ("ada", "bo"):
            decide(client.store, record, person, "include")
    return ids


def run(client: Local, world: World, *copies: OpenCopy, later: int = 0) -> Any:
    with fetch.Fetcher(secrets={}, via=world.base) as fetcher:
        return fetch_copies(client, fetcher, REVIEW, copies, NOW + timedelta(days=later))


def copy_at(url: str, doi: str = DOI, **more: Any) -> OpenCopy:
    return OpenCopy(doi, url, "Unpaywall", "cc-by", "published version", **more)


def files(client: Local, record: str) -> list[full_texts.FullText]:
    with client.store.read() as con:
        return full_texts.of(con, REVIEW, record)


def tries(client: Local, record: str) -> list[open_copies.Tried]:
    with client.store.read() as con:
        return open_copies.of_reports(con, REVIEW, [record])[record]


def test_each_source_tells_of_pdfs_the_published_version_first() -> None:
    body = unpaywall(
        place("https://a.org/sub.pdf", "submittedVersion", None),
        place("https://a.org/pub.pdf"),
        {"url": "https://a.org/landing", "url_for_pdf": None, "version": "publishedVersion"},
        place("javascript:alert(1)"),
        place("file:///etc/passwd"),
    )
    assert told_by("unpaywall", body) == (
        OpenCopy(DOI, "https://a.org/pub.pdf", "Unpaywall", "cc-by", "published version"),
        OpenCopy(DOI, "https://a.org/sub.pdf", "Unpaywall", None, "submitted manuscript"),
    )
    openalex = {
        "results": [
            {
                "doi": f"https://doi.org/{DOI}",
                "locations": [
                    {"is_oa": True, "pdf_url": "https://b.org/x.pdf", "license": "cc-by-nc"},
                    {"is_oa": False, "pdf_url": "https://b.org/paid.pdf"},
                    {"is_oa": True, "pdf_url": None},
                ],
            }
        ]
    }
    (copy,) = told_by("openalex", json.dumps(openalex).encode())
    assert (copy.doi, copy.url, copy.licence, copy.version) == (
        DOI,
        "https://b.org/x.pdf",
        "cc-by-nc",
        None,
    )
    urls = [
        {"availabilityCode": "OA", "documentStyle": "pdf", "url": "https://c.org/1.pdf"},
        {"availabilityCode": "S", "documentStyle": "pdf", "url": "https://c.org/2.pdf"},
        {"availabilityCode": "OA", "documentStyle": "html", "url": "https://c.org/3"},
    ]
    listed = {"doi": DOI, "license": "cc by", "fullTextUrlList": {"fullTextUrl": urls}}
    answer = json.dumps({"resultList": {"result": [listed]}}).encode()
    assert [copy.url for copy in told_by("europepmc", answer)] == ["https://c.org/1.pdf"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"results": 3}', b'{"doi": 1}'])
@pytest.mark.parametrize("source", ["unpaywall", "openalex", "europepmc", "crossref"])
def test_what_is_no_answer_tells_of_no_copy(source: str, body: bytes) -> None:
    assert told_by(source, body) == ()


def test_a_copy_is_fetched_and_kept_with_where_it_is_from(client: Local, world: World) -> None:
    first, second = sought(client, 1, 2)
    world.script("/https/a.org/pub.pdf", reply(PDF))
    done = run(client, world, copy_at("https://a.org/gone.pdf"))
    assert (done.kept, done.failed) == (0, 1)  # another address, which answers nothing
    done = run(client, world, copy_at("https://a.org/pub.pdf"))
    assert (done.kept, done.failed) == (1, 0)
    (file,) = files(client, first)
    assert (file.name, file.size, file.author) == ("pub.pdf", len(PDF), "open copies")
    (kept, failed) = tries(client, first)
    assert (kept.origin, kept.licence, kept.version) == ("Unpaywall", "cc-by", "published version")
    assert kept.sha256 == file.sha256 and kept.problem is None
    assert failed.sha256 is None and failed.problem
    assert files(client, second) == [] and tries(client, second) == []
    again = run(client, world, copy_at("https://a.org/other.pdf"))
    assert (again.kept, again.failed) == (0, 0)  # it is there: nobody wants another


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(b"<html>Please sign in</html>"), "not a whole PDF"),
        (reply(PDF[:-7]), "not a whole PDF"),
        (reply(b"gone", 404), "404"),
        (reply(b"no", 403), "403"),
    ],
)
def test_what_is_no_pdf_is_a_try_that_is_not_made_again_for_three_months(
    client: Local, world: World, answer: Reply, words: str
) -> None:
    (record,) = sought(client, 1)
    world.script("/https/a.org/pub.pdf", answer)
    assert run(client, world, copy_at("https://a.org/pub.pdf")).failed == 1
    assert words in (tries(client, record)[0].problem or "") and files(client, record) == []
    assert run(client, world, copy_at("https://a.org/pub.pdf"), later=89).failed == 0
    assert run(client, world, copy_at("https://a.org/pub.pdf"), later=91).failed == 1


def test_the_next_place_is_tried_where_the_best_fails_and_no_more_than_a_few(
    client: Local, world: World
) -> None:
    (record,) = sought(client, 1)
    places = [copy_at(f"https://a.org/{n}.pdf") for n in range(MOST_TRIED + 2)]
    for n in range(MOST_TRIED + 2):
        world.script(f"/https/a.org/{n}.pdf", reply(b"no", 403))
    assert run(client, world, *places).failed == MOST_TRIED
    world.script("/https/a.org/4.pdf", reply(PDF))
    assert run(client, world, *places).kept == 1
    assert [one.name for one in files(client, record)] == ["4.pdf"]


def test_a_copy_under_any_doi_of_a_report_will_do(client: Local, world: World) -> None:
    (record,) = sought(client, 1)
    (other,) = found(client.store, article(2))
    join = Judge(id="join", left=record, right=other, verdict="same", person="ada", now=NOW)
    client.run(join)
    (wanted,) = client.run(FindWantedCopies(review=REVIEW, now=NOW)).reports
    assert wanted.dois == ("10.1000/trial1", "10.1000/trial2")
    world.script("/https/a.org/two.pdf", reply(PDF))
    assert run(client, world, copy_at("https://a.org/two.pdf", "10.1000/trial2")).kept == 1
    assert [file.name for file in files(client, wanted.record)] == ["two.pdf"]


def test_only_reports_that_are_sought_want_a_copy(client: Local, world: World) -> None:
    found(client.store, article(1))
    assert run(client, world, copy_at("https://a.org/pub.pdf")) == run(client, world)


def test_the_same_try_sent_twice_is_kept_once(client: Local) -> None:
    (record,) = sought(client, 1)
    sent = TakeOpenCopy(
        id="t",
        review=REVIEW,
        record=record,
        url="https://a.org/p.pdf",
        origin="OpenAlex",
        body=PDF,
        now=NOW,
    )
    assert [client.run(sent).known for _ in range(2)] == [False, True]
    assert len(files(client, record)) == len(tries(client, record)) == 1
    with pytest.raises(Refused, match="is not in review"):
        client.run(sent.model_copy(update={"id": "u", "record": "rnone"}))
    with pytest.raises(Refused, match="say what was fetched"):
        client.run(sent.model_copy(update={"id": "v", "body": None}))


def test_the_look_up_tells_of_the_copies_that_are_fetched(client: Local, world: World) -> None:
    (record,) = sought(client, 1)
    world.script(
        "/https/api.unpaywall.org/v2/10.1000/trial1", reply(unpaywall(place("https://a.org/p.pdf")))
    )
    world.script("/https/a.org/p.pdf", reply(PDF))
    reports = due_at(client, REVIEW, "unpaywall", NOW)
    told: list[OpenCopy] = []

    def keep(answer: fetch.Answer) -> None:
        told.extend(told_by(answer.source, answer.body))

    with fetch.Fetcher(secrets={"LIVEREVIEW_MAILTO": "a@b.org"}, via=world.base) as fetcher:
        look_up(client, fetcher, REVIEW, "unpaywall", reports, NOW, keep)
    assert run(client, world, *told).kept == 1 and len(files(client, record)) == 1


def test_the_list_and_the_record_tell_what_was_tried(reviewed: Store, browser: People) -> None:
    one, two = found(reviewed, article(1), article(2))
    for record in (one, two):
        for person in ("ada", "bo"):
            decide(reviewed, record, person, "include")
    tried = {"review": REVIEW, "origin": "Unpaywall", "licence": "cc-by", "now": NOW}
    folder = Path(reviewed.database).parent / "site"
    for id, record, url, more in (
        ("a", one, "https://a.org/<b>.pdf", {"problem": "it answered 403"}),
        ("b", two, "https://a.org/two.pdf", {"body": PDF, "version": "accepted manuscript"}),
    ):
        ops.open_copies.take(
            reviewed, id=id, record=record, url=url, folder=folder, **tried, **more
        )
    ada, lena = browser("ada"), browser("lena", "lead")
    decide(reviewed, one, "ada", "not_retrieved", stage="full_text", note="no access")
    page = ada.get(f"/r/{REVIEW}/retrieval")
    assert "it answered 403" in page and "<b>" not in page
    assert "Look for open copies now" not in page  # which is a lead's
    assert "Look for open copies now" in lena.get(f"/r/{REVIEW}/retrieval")
    page = lena.get(f"/r/{REVIEW}/records/{two}")
    assert "two.pdf" in page and "accepted manuscript, cc-by" in page and "open copies" in page


def test_files_are_beside_what_is_served_and_private(
    client: Local, world: World, settings: Settings
) -> None:
    sought(client, 1)
    world.script("/https/a.org/pub.pdf", reply(PDF))
    run(client, world, copy_at("https://a.org/pub.pdf"))
    (kept,) = Path(settings.full_texts).glob("*.pdf")
    assert kept.read_bytes() == PDF and kept.stat().st_mode & 0o077 == 0
    assert not kept.is_relative_to(settings.site)
