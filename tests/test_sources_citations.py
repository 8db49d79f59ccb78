"""Citation chasing: which works it starts from, what it asks, and that its finds are OpenAlex's
records.
"""

from __future__ import annotations

import pytest

from flows.surveil import run_search
from livereview import fetch
from livereview.client import Local
from livereview.commands import Register
from livereview.endings import Ending
from livereview.ops import status
from livereview.review import Search
from livereview.sources import citations
from tests.conftest import NOW, REVIEW, article, found
from tests.test_flows_recheck import client  # noqa: F401  (a fixture)
from tests.test_ops import include
from tests.world import World, as_json

WORKS = "/https/api.openalex.org/works"
CHASING = (
    '[[searches]]\nname = "chasing"\nsource = "citations"\nplatform = "OpenAlex"\n\n[[searches]]'
)


def listed(*keys: str) -> dict[str, object]:
    works = [{"id": f"https://openalex.org/{key}", "title": f"A work {key}"} for key in keys]
    return {"meta": {"count": len(works), "next_cursor": None}, "results": works}


def chasing(client: Local, protocol: str, world: World) -> Ending:  # noqa: F811
    client.run(Register(text=protocol.replace("[[searches]]", CHASING, 1), now=NOW))
    with fetch.Fetcher(secrets={}, via=world.base) as fetcher:
        plan = Search("chasing", "citations", "OpenAlex")
        return run_search(client, fetcher, REVIEW, plan, NOW)


def test_included_works_are_chased_forward_and_backward(client: Local, protocol: str) -> None:  # noqa: F811
    first, second, _ = found(
        client.store, article(1), article(2, source="ris", source_key="x"), article(3)
    )
    include(client.store, first)
    include(client.store, second)
    with World() as world:
        world.script(WORKS, as_json(listed("W50", "W51")), as_json(listed("W60")))
        ending = chasing(client, protocol, world)
        asked = [seen.query["filter"] for seen in world.seen]
    assert asked == ["cites:W1", "cited_by:W1"]
    assert (ending.outcome, ending.fresh) == ("ok", 3)
    told = status.ledger_of(client.store, review=REVIEW, now=NOW)["attempts"]
    (run,) = [one for one in told if one["name"] == "chasing"]
    assert (
        run["query"]
        == "cites, cited_by: W1 (1 included reports have no OpenAlex id yet and are not chased)"
    )


def test_with_nothing_included_nothing_is_asked(client: Local, protocol: str) -> None:  # noqa: F811
    found(client.store, article(1))
    with World() as world:
        assert chasing(client, protocol, world).outcome == "ok-zero"
        assert world.seen == []


@pytest.mark.parametrize(("seeds", "queries"), [(0, 0), (1, 2), (40, 2), (41, 4)])
def test_many_works_are_asked_for_in_batches(seeds: int, queries: int) -> None:
    made = list(citations.chase([f"W{n}" for n in range(seeds)]))
    assert len(made) == queries
    assert sum(value.count("W") for query in made for _, value in query.filters) == 2 * seeds
