"""A query is tried before it is saved: how much it finds, what is new, what it would miss."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from fastapi import FastAPI

from livereview import trying
from livereview.errors import Refused, Retry
from livereview.records import Record
from livereview.store import known
from livereview.store.open import Store
from livereview.trying import Asked
from livereview.web.trials import Trial, Trials
from tests.conftest import REVIEW, Browser, article, found
from tests.internet import Internet, catalogue
from tests.test_web_protocol import send

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ASKED = Asked("openalex", "mentoring", (), None, None)


def test_each_source_says_how_much_there_is_and_what_goes_wrong_is_an_answer() -> None:
    works = catalogue(30, date(2026, 1, 1), 20)
    with Internet(works) as net:
        for source in ("openalex", "crossref", "pubmed", "europepmc"):
            asked = Asked(source, "mentoring", (), None, None, net.base)
            answer = trying.attempt(asked, {}, NOW)
            assert answer.problem is None, source
            assert answer.total and answer.hits, source
            again = trying.from_json(trying.json.dumps(trying.asdict(answer)))
            assert again == answer
        net.faults = {"api.openalex.org": "down"}
        broken = trying.attempt(Asked("openalex", "x", (), None, None, net.base), {}, NOW)
        assert broken.problem and not broken.hits


def test_what_a_review_has_is_recognised_by_any_identifier(reviewed: Store) -> None:
    ids = found(reviewed, article(1), article(2, pmid="222"))
    wanted = [
        known.Identity("r-other", "10.1000/trial1", None),
        known.Identity("r-another", None, "222"),
        known.Identity(ids[0], None, None),
        known.Identity("r-new", "10.1000/new", "9"),
    ]
    with reviewed.read() as con:
        assert known.records_of(con, REVIEW, wanted) == {
            "r-other": ids[0],
            "r-another": ids[1],
            ids[0]: ids[0],
        }
        assert known.included_without(con, REVIEW, [], 5) == (0, 0, [])


def wait_for(lead: Browser) -> str:
    """The page of a trial once its process has ended."""
    for _ in range(600):
        page = lead.get(str(lead.page.url))
        if "is being asked" not in page:
            return page
        time.sleep(0.1)
    raise AssertionError("the trial never ended")


def test_a_lead_tries_the_query_of_a_draft(
    browser: Callable[..., Browser], app: FastAPI, reviewed: Store
) -> None:
    lead = browser("lena", "lead")
    works = catalogue(12, date(2026, 1, 1), 20)
    with Internet(works) as net:
        app.state.shared.trials.via = net.base
        hits = trying.attempt(Asked("openalex", "x", (), None, None, net.base), {}, NOW).hits
        first = hits[0]
        found(reviewed, Record(source="ris", source_key="1", title=first.title, doi=first.doi))
        lead.get(f"/r/{REVIEW}/protocol")
        send(lead, "Change it")
        lead.get(f"/r/{REVIEW}/protocol/edit/searches")
        send(lead, "Try it", go="try.0", **{"searches.0.query": "mentoring OR coaching"})
        page = wait_for(lead)
        assert "mentoring OR coaching" in page, (
            lead.page.url,
            lead.page.status_code,
        )  # it was kept first
        assert f"gives <strong>{len(hits)}</strong> from OpenAlex" in page
        assert f"<strong>{len(hits) - 1}</strong> of them are new to this review" in page
        assert "in this review</a>" in page
        other = browser("omar", "lead")
        assert other.http.get(str(lead.page.url)).status_code == 404

        net.faults = {"api.openalex.org": "html"}
        lead.get(f"/r/{REVIEW}/protocol/edit/searches")
        send(lead, "Try it", go="try.0")
        assert "Nothing came." in wait_for(lead)
    lead.get(f"/r/{REVIEW}/protocol/edit/searches")
    page = send(lead, "Try it", go="try.0", **{"searches.0.source": "citations"})
    assert "can’t be tried, only run" in page


def test_only_some_are_tried_at_once_and_what_lasts_too_long_is_ended() -> None:
    moment = 0.0
    trials = Trials(clock=lambda: moment)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        via = f"http://127.0.0.1:{silent.getsockname()[1]}"
        asked = replace(ASKED, via=via)
        for number in range(3):
            trials.begin(str(number), Trial("lena", "/", 0, "s", asked, 0.0))
        with pytest.raises(Retry, match="Other queries"):
            trials.begin("3", Trial("lena", "/", 0, "s", asked, 0.0))
        assert trials.of("0", "lena").found is None
        with pytest.raises(Refused):
            trials.of("0", "omar")
        moment = 1e9
        for number in range(3):
            ended = trials.of(str(number), "lena").found
            assert ended is not None and "did not answer within" in (ended.problem or "")
