"""Another site embeds a review, in a real Chromium: the owner serves on 127.0.0.1, the other site
is localhost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from livereview.client import Local
from livereview.commands import Register
from livereview.ops import evidence, protocols, publish, withdraw
from livereview.ops.team import add_account
from livereview.settings import Settings
from livereview.store import searches
from livereview.store.open import Connection
from tests.conftest import DATA, NOW, REVIEW, article, found, secret_of
from tests.test_browser import CHROMIUM, Owner
from tests.test_browser import chromium as chromium  # the fixture
from tests.test_night import free_port
from tests.test_ops import include
from tests.test_ops_as_of import HOUR, extract

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; Debian's package `chromium` brings one"
)
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Another site</title>
<link rel="icon" href="data:,"><style>p {{ color: red; display: none }} * {{ font-size: 40px }} .f {{ color: #000 }}
</style></head><body><main><h1>Another site</h1>{body}</main></body></html>"""


@dataclass
class Site:
    """Another site: its pages by path, served at another origin and by another name than the owner."""

    pages: dict[str, str] = field(default_factory=dict)
    server: ThreadingHTTPServer | None = None

    @property
    def base(self) -> str:
        assert self.server
        return f"http://localhost:{self.server.server_address[1]}"

    def put(self, path: str, body: str) -> str:
        self.pages[path] = HOST.format(body=body)
        return self.base + path


@pytest.fixture
def other() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = site.pages.get(self.path)
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_: object) -> None:
            return

    site.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=site.server.serve_forever, daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


def search_all(con: Connection) -> None:
    """Every search of the review has run, so that there is a date to show."""
    for plan in protocols.protocol(con, REVIEW).searches:
        searches.begin(con, plan.name, REVIEW, plan, searches.Run("search", None, NOW), NOW)
        searches.end(con, plan.name, "ok-zero", None, searches.Counts(0, 0), None, NOW)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """`livereview serve` over a review with two versions.

    The outcome is rated in the second only.
    """
    here = Owner(Settings(home=tmp_path, secrets={}, memory="500MB"))
    client = Local(here.settings)
    text = (
        (DATA / "review.toml")
        .read_text(encoding="utf-8")
        .replace("[living]", "[living]\nsign_off = false")
    )
    client.run(Register(text=text, now=NOW))
    publish.open_review(client.store, id="opening", review=REVIEW, by="lena", now=NOW)
    add_account(client.store, name="lena", role="lead", secret=secret_of("lena"), now=NOW)
    here.settings.site.mkdir()
    for record in found(client.store, article(1)):
        include(client.store, record)
    client.store.write(search_all)
    extract(client.store, 1, NOW, "unclear")
    publish.publish(client.store, review=REVIEW, folder=here.settings.site, now=NOW)
    answers = {"imprecision": "One small study; that is why it starts low."}
    rating = {"outcome": "attendance", "start": "low", "reasons": [], "answers": answers}
    evidence.rate(client.store, id="r", review=REVIEW, data=rating, by="lena", now=NOW + HOUR)
    publish.publish(client.store, review=REVIEW, folder=here.settings.site, now=NOW + HOUR)
    client.close()
    here.port = free_port()
    here.start()
    yield here
    here.stop()


@pytest.fixture
def visitor(chromium: Any) -> Iterator[Callable[[], Any]]:
    """A browser of somebody's own, with all requests that it sends."""
    contexts = []

    def make(**options: Any) -> Any:
        context = chromium.new_context(viewport={"width": 900, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.asked = []
        page.on("request", lambda one: page.asked.append(one))
        return page

    yield make
    for context in contexts:
        context.close()


def withdraw_first(owner: Owner) -> None:
    """Withdraw version 1, with a pause of the owner."""
    owner.stop()
    client = Local(owner.settings)
    act: dict[str, Any] = {
        "id": "w",
        "review": REVIEW,
        "version": 1,
        "by": "lena",
        "reason": "Counted twice.",
    }
    withdraw.withdraw(client.store, **act, folder=owner.settings.site, now=NOW + 2 * HOUR)
    client.close()
    owner.start()


def built(owner: Owner, build: str) -> str:
    return f"{owner.base}/site/{REVIEW}/{build}"


def element(owner: Owner, build: str, fallback: str = "Read it there.") -> str:
    script = f'<script type="module" src="{built(owner, "latest")}/embed.js"></script>'
    address = f"{built(owner, build)}/summary.json"
    return (
        f'{script}<living-review src="{address}"><span class="f">{fallback}</span></living-review>'
    )


def iframe(address: str) -> str:
    return f'<iframe src="{address}" title="A living review" width="640" height="320" sandbox="allow-popups"></iframe>'


def shown(page: Any) -> str:
    """What an element or a frame of the page shows."""
    if page.locator("iframe").count():
        return str(page.frame_locator("iframe").locator("main").inner_text())
    page.wait_for_function("document.querySelector('living-review').shadowRoot")
    return str(page.locator("living-review").evaluate("one => one.shadowRoot.textContent"))


def oembed(owner: Owner, build: str) -> str:
    answer = requests.get(
        f"{owner.base}/oembed", params={"url": f"{built(owner, build)}/"}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["html"])


ROUTES: dict[str, tuple[Callable[[Owner], str], int]] = {
    "a frame": (lambda owner: iframe(f"{built(owner, 'latest')}/embed.html"), 2),
    "a pinned frame": (lambda owner: iframe(f"{built(owner, 'v/1')}/embed.html"), 1),
    "an element": (lambda owner: element(owner, "latest"), 2),
    "a pinned element": (lambda owner: element(owner, "v/1"), 1),
    "oEmbed": (lambda owner: oembed(owner, "latest"), 2),
    "pinned oEmbed": (lambda owner: oembed(owner, "v/1"), 1),
}


def test_however_it_is_embedded_version_search_date_certainty_and_caveat_are_there(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    said = requests.get(f"{built(owner, 'latest')}/summary.json", timeout=10).json()
    assert (
        said["version"]["number"] == 2 and said["status"]["searched_to_display"] == "2 March 2026"
    )
    for name, (way, version) in ROUTES.items():
        page = visitor()
        page.goto(other.put("/page", way(owner)))
        text = shown(page)
        assert f"Version {version}, 2 March 2026" in text, name
        assert f"Searches complete to: {said['status']['searched_to_display']}" in text, name
        assert f"Certainty: {'School attendance: low' if version == 2 else 'not rated'}." in text, (
            name
        )
        assert said["caveat"] in text, name
        newer = "there may be a newer one" in text or "The newest version" in text
        assert newer == (version == 1), f"{name}: who pins a version is told that it may be old"
        bad = [
            (one["id"], [node["html"] for node in one["nodes"]])
            for one in Axe().run(page).response["violations"]
        ]
        assert bad == [], name


def test_the_host_sees_no_cookie_and_reaches_nothing_in_a_frame(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    page = visitor()
    page.goto(f"{owner.base}/sign-in")
    page.fill("[name=secret]", secret_of("lena"))
    page.press("[name=secret]", "Enter")
    page.wait_for_url(f"{owner.base}/")
    assert page.context.cookies(owner.base), "signed in at the owner"
    del page.asked[:]
    page.goto(other.put("/both", iframe(f"{built(owner, 'latest')}/embed.html")))
    assert "Version 2" in shown(page)
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    refused = "try { document.querySelector('iframe').contentWindow.document.body; 'in' } catch (e) { e.name }"
    assert page.evaluate(refused) == "SecurityError"
    page.goto(other.put("/element", element(owner, "latest")))
    assert "Version 2" in shown(page)
    sent = [one for one in page.asked if one.url.startswith(owner.base)]
    assert {one.url.rsplit("/", 1)[1] for one in sent} == {"embed.html", "embed.js", "summary.json"}
    assert all("cookie" not in one.all_headers() for one in sent)
    assert all("set-cookie" not in one.response().all_headers() for one in sent)


def test_the_style_of_the_host_does_not_reach_into_the_element(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    page = visitor()
    page.goto(other.put("/", element(owner, "latest")))
    shown(page)
    line = page.locator("living-review p").nth(1)
    assert line.is_visible()
    style = line.evaluate(
        "one => ({size: getComputedStyle(one).fontSize, color: getComputedStyle(one).color})"
    )
    assert style == {"size": "16px", "color": "rgb(0, 0, 0)"}


def test_what_cannot_be_read_leaves_the_hosts_own_words(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    script = f'<script type="module" src="{built(owner, "latest")}/embed.js"></script>'
    nowhere = ("http://127.0.0.1:9/summary.json", f"{built(owner, 'v/9')}/summary.json", "http://[")
    for number, address in enumerate(nowhere):
        page = visitor()
        inside = f'{script}<living-review src="{address}"><span class="f">Ask the team.</span></living-review>'
        page.goto(other.put(f"/{number}", inside))
        page.wait_for_selector("living-review[data-problem]")
        assert page.get_by_text("Ask the team.").is_visible(), address
        assert page.evaluate("document.querySelector('living-review').shadowRoot") is None
    without = visitor(java_script_enabled=False)
    without.goto(other.put("/plain", element(owner, "latest", "Ask the team.")))
    assert without.get_by_text("Ask the team.").is_visible()


def test_nothing_but_the_embed_may_stand_in_a_frame(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    page = visitor()
    refused = []
    page.on(
        "console",
        lambda said: refused.append(said.text) if "frame-ancestors" in said.text else None,
    )
    for path in (
        f"/site/{REVIEW}/latest/",
        f"/site/{REVIEW}/v/1/",
        "/site/",
        "/sign-in",
        f"/site/{REVIEW}/v/9/embed.html",
    ):
        page.goto(other.put(path, iframe(owner.base + path)))
        page.wait_for_function("n => window.length === 1", arg=1)
        page.wait_for_timeout(200)
        assert page.frames[1].url.startswith("chrome-error:"), path
    assert len(refused) == 5


def test_programs_of_other_sites_may_read_the_data(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    page = visitor()
    page.goto(other.put("/", "<p>x</p>"))
    ask = "address => fetch(address).then(one => one.json()).then(one => Object.keys(one).length)"
    for address in (
        f"{built(owner, 'v/1')}/summary.json",
        f"{owner.base}/oembed?url={built(owner, 'latest')}/",
    ):
        assert page.evaluate(ask, address) > 5
    with pytest.raises(Exception, match="Failed to fetch"):
        page.evaluate("address => fetch(address).then(one => one.text())", f"{owner.base}/healthz")


def test_a_withdrawn_version_says_so_wherever_it_is_embedded(
    owner: Owner, other: Site, visitor: Callable[..., Any]
) -> None:
    withdraw_first(owner)
    for number, body in enumerate(
        (iframe(f"{built(owner, 'v/1')}/embed.html"), element(owner, "v/1"))
    ):
        page = visitor()
        page.goto(other.put(f"/{number}", body))
        text = shown(page)
        assert "was withdrawn" in text and "Counted twice." in text and "ersion 2" in text
        assert "Searches complete to" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_embed_and_the_tombstone(
    owner: Owner, visitor: Callable[..., Any], scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    withdraw_first(owner)
    page = visitor(bypass_csp=True, color_scheme=scheme)
    for path in ("latest/embed.html", "v/1/embed.html", "v/1/", "v/2/embed.html"):
        page.goto(built(owner, path))
        found_by_axe = [
            (one["id"], one["nodes"][0]["html"]) for one in Axe().run(page).response["violations"]
        ]
        assert found_by_axe == [], path
