from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from livereview import ops
from livereview.ops import protocols
from livereview.settings import Settings
from livereview.sources.protocol import Reject
from livereview.store import searches, versions
from livereview.store.open import Connection, Store
from livereview.store.versions import Version
from livereview.web.app import create
from tests.conftest import NOW, REVIEW, Browser, TestClient, article, found, secret_of
from tests.test_web_screen import vote

People = Callable[..., Browser]


def published(store: Store) -> None:
    version = Version(1, 1, "hash", "first version", "cause", None, "{}", NOW, NOW)
    store.write(lambda con: versions.append(con, REVIEW, version))


def test_everybody_sees_what_waits_for_them_at_each_stage(reviewed: Store, browser: People) -> None:
    first, second = found(reviewed, article(1), article(2))
    vote(reviewed, first, "ada", "include")
    vote(reviewed, first, "bea", "include")
    vote(reviewed, second, "ada", "include")
    published(reviewed)
    page = browser("ada").get("/")
    assert "Title and abstract: <strong>0</strong> waiting for you" in page
    assert "Full text: <strong>1</strong> waiting for you" in page
    assert "onflict" not in page and f'href="/site/{REVIEW}/latest/"' in page
    assert "Conflicts to settle: <strong>0</strong>" in browser("lena", "lead").get("/")
    page = browser("rob", "reader").get("/")
    assert "waiting for you" not in page and "Doubtful" not in page and "Published page" in page


def test_without_a_review_one_learns_what_to_do_next(store: Store, settings: Settings) -> None:
    app = create(store, settings, token="t", clock=lambda: NOW)
    assert "No account yet." in TestClient(app).get("/").text
    for name, role, words in (
        ("lena", "lead", "Make the first one"),
        ("ada", "reviewer", "Your lead has not put"),
    ):
        ops.team.add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)
        assert words in Browser(app, secret_of(name)).get("/")


def failed(store: Store, search: str, error: str) -> None:
    """The search began, could not read one piece, and failed."""

    def job(con: Connection) -> None:
        plan = protocols.protocol(con, REVIEW).searches[1]
        searches.begin(con, search, REVIEW, plan, searches.Run("search", None, NOW), NOW)
        searches.save_rejects(
            con, search, "0" * 64, [Reject("no title", "item 3", "<b>raw & odd</b>")], NOW
        )
        searches.end(con, search, "failed", error, searches.Counts(rejected=1), None, NOW)

    store.write(job)


def test_the_lead_sees_alarms_first_and_every_search_with_its_outcome(
    reviewed: Store, browser: People
) -> None:
    lena = browser("lena", "lead")
    assert "<strong>Never run:</strong> openalex, crossref." in lena.get(f"/r/{REVIEW}")
    found(reviewed, article(1))
    failed(reviewed, "s2", "answered 500 three times")
    page = lena.get(f"/r/{REVIEW}")
    assert "search crossref ended failed: answered 500 three times" in page
    assert (
        page.index("What is wrong") < page.index("What waits where") < page.index('id="searches"')
    )
    assert (
        '<span class="outcome failed">failed</span>' in page
        and '<span class="outcome ok">ok</span>' in page
    )
    assert (
        "no title" in page
        and "&lt;b&gt;raw &amp; odd&lt;/b&gt;" in page
        and "crossref, item 3" in page
    )
    assert "Nothing is published yet; the first version is being built" in page


def test_an_old_success_is_not_shown_as_well_while_its_search_is_an_alarm(
    reviewed: Store, settings: Settings
) -> None:
    found(reviewed, article(1))
    later = NOW + timedelta(days=213)
    app = create(reviewed, settings, token="t", clock=lambda: later)
    ops.team.add_account(reviewed, name="lena", role="lead", secret=secret_of("lena"), now=later)
    lena = Browser(app, secret_of("lena"))
    for address in (f"/r/{REVIEW}", f"/r/{REVIEW}/searches"):
        page = lena.get(address)
        assert "search openalex last succeeded 213 days ago" in page
        assert '<span class="outcome alarmed">look at it</span>' in page
        assert '<span class="small">last run: ok</span>' in page
        assert '<span class="outcome ok">' not in page


def test_the_lead_sees_counts_conflicts_and_the_version(reviewed: Store, browser: People) -> None:
    first, _, _ = found(reviewed, article(1), article(2), article(3))
    vote(reviewed, first, "ada", "include")
    vote(reviewed, first, "bea", "exclude")
    published(reviewed)
    page = browser("lena", "lead").get(f"/r/{REVIEW}").replace("\n", "")
    assert ">in screening, with conflicts</a></dt><dd>3</dd>" in page
    assert '<dt><a href="/r/small-review/conflicts">conflicts</a></dt><dd>1</dd>' in page
    assert "Version 1</a>, 2026-03-02 09:00 UTC: first version" in page


def test_a_search_that_has_been_silent_for_long_is_an_alarm(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1), now=NOW - timedelta(days=60))
    assert "search openalex last succeeded 60 days ago" in browser("lena", "lead").get(
        f"/r/{REVIEW}"
    )
