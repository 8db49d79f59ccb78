"""Looking known reports up again: through a real store, a real fetcher and a local server in the
publishers' place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from flows.recheck import due_at, look_up
from livereview import fetch
from livereview.client import Local
from livereview.commands import BeginLookup, FindDue, Rebuild, Register
from livereview.endings import Ending
from livereview.ops import status, tasks
from livereview.records import Record
from livereview.settings import Settings
from livereview.store import records
from livereview.store.open import Store
from livereview.surveillance.lookups import SOURCES, Known
from tests.conftest import NOW, REVIEW, article, found
from tests.test_ops import decide, include
from tests.world import Reply, World, as_json, reply

CROSSREF = "/https/api.crossref.org/works"


@pytest.fixture
def client(settings: Settings, protocol: str) -> Iterator[Local]:
    local = Local(settings)
    local.run(Register(text=protocol, now=NOW))
    yield local
    local.close()


def work(doi: str, *updates: str, **fields: Any) -> dict[str, Any]:
    """A Crossref work with the notices about it, in this order."""
    return {
        "DOI": doi,
        "title": [f"Title of {doi}"],
        "type": "journal-article",
        "updated-by": [
            {"type": kind, "DOI": f"10.9999/{kind}", "source": "retraction-watch"}
            for kind in updates
        ],
        **fields,
    }


def works(*items: dict[str, Any]) -> Reply:
    body = {
        "status": "ok",
        "message-type": "work-list",
        "message": {"items": items, "total-results": len(items)},
    }
    return as_json(body)


def known_report(number: int, **fields: Any) -> Any:
    return article(
        number, **{"doi": f"10.1000/a{number}", "title": f"Title of 10.1000/a{number}", **fields}
    )


def brought(client: Local, *news: Record, search: str = "s1") -> list[str]:
    """Let a search have found these; unlike `found`, later records are matched against them."""
    ids = found(client.store, *news, search=search)
    client.run(Rebuild())
    return ids


def ask(client: Local, world: World, source: str, now: datetime = NOW) -> Ending:
    reports = due_at(client, REVIEW, source, now)
    with fetch.Fetcher(secrets={}, via=world.base) as fetcher:
        return look_up(client, fetcher, REVIEW, source, reports, now, lambda answer: None)


def told(client: Local, now: datetime = NOW) -> dict[str, Any]:
    answer: dict[str, Any] = status.status(client.store, now=now)["reviews"][0]
    return answer


def test_a_retraction_of_an_included_report_marks_it_and_raises_one_task(client: Local) -> None:
    (record,) = brought(client, known_report(1))
    include(client.store, record)
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1", "correction", "retraction")))
        for day in (0, 40):
            assert ask(client, world, "crossref", NOW + timedelta(days=day)).outcome == "ok"
    (task,) = told(client)["tasks"]
    assert task["kind"] == "retracted" and task["title"] == "Title of 10.1000/a1"
    assert any("was retracted" in alarm for alarm in told(client)["alarms"])
    with client.store.read() as con:
        ((report,),) = con.execute("SELECT report_id FROM included").fetchall()
        whole, origin = records.merged(records.reports(con, REVIEW, [report])[report])
    assert whole.retraction == "retracted" and origin["retraction"] == "crossref"


@pytest.mark.parametrize(
    ("notice", "kind"),
    [
        ("retraction", "retracted"),
        ("expression_of_concern", "expression-of-concern"),
        ("correction", "corrected"),
    ],
)
def test_kinds_of_notices_are_told_apart_for_queued_reports_too(
    client: Local, notice: str, kind: str
) -> None:
    brought(client, known_report(1))
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1", notice)))
        ask(client, world, "crossref")
    assert [task["kind"] for task in told(client)["tasks"]] == [kind]


def test_a_look_up_counts_as_no_search_and_brings_no_report_of_its_own(client: Local) -> None:
    brought(client, known_report(1))
    before = told(client)["flow"]
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1"), work("10.1000/other")))
        ask(client, world, "crossref")
    assert told(client)["flow"] == before
    with client.store.read() as con:
        assert con.execute("SELECT count(*) FROM queue").fetchall() == [(1,)]


def test_each_report_is_due_again_after_29_days_and_not_before(client: Local) -> None:
    brought(client, known_report(1))
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1")))
        ask(client, world, "crossref")

    def due(days: float) -> int:
        return len(due_at(client, REVIEW, "crossref", NOW + timedelta(days=days)))

    assert (due(0), due(28.9), due(29), due(400)) == (0, 0, 1, 1)


def test_included_reports_that_were_not_rechecked_in_thirty_days_are_an_alarm(
    client: Local,
) -> None:
    (record,) = brought(client, known_report(1))
    include(client.store, record)
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1")))
        ask(client, world, "crossref")

    def late(days: int) -> bool:
        return any(
            "not rechecked" in alarm for alarm in told(client, NOW + timedelta(days=days))["alarms"]
        )

    assert not late(30) and late(31)


def test_an_included_report_that_was_never_rechecked_is_an_alarm_too(client: Local) -> None:
    (record,) = brought(client, known_report(1))
    include(client.store, record)
    late = [
        any("not rechecked" in a for a in told(client, NOW + timedelta(days=day))["alarms"])
        for day in (30, 31)
    ]
    assert late == [False, True]


def test_an_included_report_without_identifiers_is_told_and_is_no_alarm(client: Local) -> None:
    (record,) = brought(client, known_report(1, doi=None, pmid=None))
    include(client.store, record)
    state = told(client, NOW + timedelta(days=31))
    assert state["out_of_reach"] == 1 and not any(
        "not rechecked" in alarm for alarm in state["alarms"]
    )


def test_a_source_that_is_down_leaves_its_reports_due_and_an_alarm(client: Local) -> None:
    brought(client, known_report(1))
    with World() as world:
        world.script(CROSSREF, reply("<html><title>Just a moment</title></html>"))
        assert ask(client, world, "crossref").outcome == "failed"
    assert due_at(client, REVIEW, "crossref", NOW)
    assert any("look-up: crossref ended failed" in alarm for alarm in told(client)["alarms"])


def test_a_doi_with_a_comma_or_a_slash_is_asked_for_by_its_escaped_address(client: Local) -> None:
    brought(client, known_report(1, doi="10.1000/a,b/c"))
    with World() as world:
        world.script(
            f"{CROSSREF}/10.1000%2Fa%2Cb%2Fc",
            as_json(
                {
                    "status": "ok",
                    "message-type": "work",
                    "message": work("10.1000/a,b/c", "retraction"),
                }
            ),
        )
        assert ask(client, world, "crossref").outcome == "ok"
        assert "filter" not in world.seen[-1].query
    assert [task["kind"] for task in told(client)["tasks"]] == ["retracted"]


def test_a_work_that_crossref_does_not_know_is_no_failure(client: Local) -> None:
    brought(client, known_report(1, doi="10.1000/a,b"))
    with World() as world:
        ending = ask(client, world, "crossref")  # no script for this path: 404
    assert ending.error is None
    assert due_at(client, REVIEW, "crossref", NOW) == []


def test_a_missing_abstract_is_filled_with_its_source_and_opens_what_was_excluded_without_it(
    client: Local,
) -> None:
    (record,) = brought(client, known_report(1, abstract=None))
    for reviewer in ("amina", "ben"):
        decide(client.store, record, reviewer, "exclude")
    (other,) = brought(client, known_report(2, abstract=None), search="s2")
    with World() as world:
        openalex = {"id": "https://openalex.org/W77", "doi": "https://doi.org/10.1000/a1"}
        openalex |= {
            "title": "Title of 10.1000/a1",
            "abstract_inverted_index": {"Mentors": [0], "helped": [1]},
        }
        answer = {"meta": {"count": 1, "next_cursor": None}, "results": [openalex]}
        world.script("/https/api.openalex.org/works", as_json(answer))
        client.run(BeginLookup(review=REVIEW, source="openalex", search="l1", now=NOW))
        with fetch.Fetcher(secrets={}, via=world.base) as fetcher:
            look_up(
                client,
                fetcher,
                REVIEW,
                "openalex",
                [Known(record, "10.1000/a1", None)],
                NOW,
                lambda a: None,
            )
    with client.store.read() as con:
        states = dict(con.execute("SELECT report_id, state FROM screening_state").fetchall())
        ((report, cause),) = con.execute("SELECT report_id, cause FROM reopened").fetchall()
        whole, _ = records.merged(records.reports(con, REVIEW, [report])[report])
    assert states[report] == "open" and "abstract has arrived" in cause
    assert whole.abstract == "Mentors helped"
    assert len(states) == 2 and other in states


def test_decisions_made_after_the_reopening_count_and_the_old_ones_stay_in_the_books(
    client: Local,
) -> None:
    (record,) = brought(client, known_report(1))
    include(client.store, record)
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1", "retraction")))
        ask(client, world, "crossref")
    (task,) = told(client)["tasks"]
    tasks.settle_task(
        client.store, review=REVIEW, task=task["id"], outcome="reopened", by="lead", now=NOW
    )
    assert told(client)["tasks"] == [] and told(client)["flow"]["included"] == 0
    for reviewer in ("amina", "ben"):
        decide(
            client.store, record, reviewer, "exclude", stage="full_text", reason="wrong-population"
        )
    with client.store.read() as con:
        assert con.execute("SELECT state FROM screening_state").fetchall() == [("excluded",)]
        assert con.execute(
            "SELECT count(*) FROM decision WHERE stage = 'full_text'"
        ).fetchall() == [(4,)]


def test_noting_a_task_leaves_the_decision_and_closes_it_once(client: Local) -> None:
    (record,) = brought(client, known_report(1))
    include(client.store, record)
    with World() as world:
        world.script(CROSSREF, works(work("10.1000/a1", "correction")))
        ask(client, world, "crossref")
    (task,) = told(client)["tasks"]
    tasks.settle_task(
        client.store, review=REVIEW, task=task["id"], outcome="noted", by="lead", now=NOW
    )
    assert told(client)["flow"]["included"] == 1 and told(client)["alarms"] == []
    with pytest.raises(Exception, match="settled already"):
        tasks.settle_task(
            client.store, review=REVIEW, task=task["id"], outcome="noted", by="lead", now=NOW
        )


def test_retraction_watch_is_cut_down_to_the_reports_asked_for(client: Local) -> None:
    brought(client, known_report(1))
    heading = (
        "Record ID,Title,Author,OriginalPaperDate,OriginalPaperDOI,"
        "OriginalPaperPubMedID,RetractionNature,URLS,Journal,"
    )
    lines = [heading] + [
        f"{n},Title of 10.1000/a{n},A B;C D,7/31/2024 13:59,10.1000/A{n},0,Retraction,,J,"
        for n in range(50)
    ]
    with World() as world:
        world.script("/https/api.labs.crossref.org/data/retractionwatch", reply("\n".join(lines)))
        ending = ask(client, world, "retractionwatch")
    assert ending.outcome == "ok" and ending.found == 1
    assert [task["kind"] for task in told(client)["tasks"]] == ["retracted"]


def test_sources_are_named_once_and_unknown_ones_refused(client: Local) -> None:
    with pytest.raises(Exception, match="choose one of crossref"):
        client.run(FindDue(review=REVIEW, source="arxiv", now=NOW))
    assert len(set(SOURCES)) == len(SOURCES)
    assert json.dumps(told(client), default=str)
    assert isinstance(client.store, Store)
