"""The screening room in a real Chromium over a real owner process: keys, drafts, tabs, a server
that dies, axe.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from livereview import ops
from livereview.client import Local
from livereview.commands import Extract, Register
from livereview.ops.acts import UNSEEN
from livereview.ops.team import add_account
from livereview.settings import Settings
from livereview.store.open import owner
from tests import pdfs
from tests.conftest import DATA, NOW, REVIEW, article, found, secret_of
from tests.test_ops import decide, include

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; Debian's package `chromium` brings one"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TA, FULL = f"/r/{REVIEW}/screen/title_abstract", f"/r/{REVIEW}/screen/full_text"
ROLES = {"ada": "reviewer", "bo": "reviewer", "cy": "adjudicator", "lena": "lead"}


@dataclass
class Owner:
    """`livereview serve` as a process, over a small review with records."""

    settings: Settings
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    pages: list[Any] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            **os.environ,
            "LIVEREVIEW_HOME": str(self.settings.home),
            "LIVEREVIEW_MEMORY": "500MB",
        }
        if self.port:
            environment["LIVEREVIEW_URL"] = self.base
        command = [sys.executable, "-m", "livereview", "serve", "--new", "--port", str(self.port)]
        with (self.settings.home / "owner.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        while not ((known := owner(self.settings.database)) and known["url"]):
            assert self.process.poll() is None, (self.settings.home / "owner.log").read_text()
            time.sleep(0.05)
        self.port = int(known["url"].rsplit(":", 1)[1])

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What stands in the database once the owner has let go of it."""
        self.stop()
        with duckdb.connect(str(self.settings.database), read_only=True) as con:
            return con.execute(question).fetchall()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """server(3) is a running owner of a review with three records; `more` is done before it runs."""
    made: list[Owner] = []

    def make(records: int, more: Callable[[Local, Settings], None] | None = None) -> Owner:
        one = Owner(Settings(home=tmp_path, secrets={}, memory="500MB"))
        client = Local(one.settings)
        client.run(Register(text=(DATA / "review.toml").read_text(encoding="utf-8"), now=NOW))
        for name, role in ROLES.items():
            add_account(client.store, name=name, role=role, secret=secret_of(name), now=NOW)
        found(client.store, *(article(number) for number in range(1, records + 1)))
        if more:
            more(client, one.settings)
        client.close()
        one.start()
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def person(chromium: Any) -> Iterator[Callable[..., Any]]:
    """person(server, "ada") is a page of a browser of its own in which ada is signed in."""
    contexts = []

    def sign_in(server: Owner, name: str, **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.problems = []
        page.on(
            "console",
            lambda said: (
                page.problems.append(said.text) if "Content Security" in said.text else None
            ),
        )
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(f"{server.base}/sign-in")
        page.fill("[name=secret]", secret_of(name))
        page.press("[name=secret]", "Enter")
        page.wait_for_url(f"{server.base}/")
        return page

    yield sign_in
    for context in contexts:
        for page in context.pages:
            assert getattr(page, "problems", []) == []
        context.close()


def title(page: Any) -> str:
    return str(page.locator("article h1").inner_text())


def press(page: Any, key: str) -> None:
    """Press a key and wait for the next record, or for the end of the queue."""
    before = page.locator("main").element_handle()
    page.keyboard.press(key)
    page.wait_for_function("old => !old.isConnected", arg=before)
    page.wait_for_function(
        "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"
    )


def test_two_reviewers_screen_with_the_keyboard_and_a_third_settles(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(30)
    for name, keys in (("ada", "iem"), ("bo", "ie1")):
        page = person(here, name)
        page.goto(here.base + TA)
        for _ in range(30):
            number = int(title(page).split()[1])  # each meets the records in an order of their own
            press(page, keys[number % 3])
        assert "Nothing waits for you here" in page.locator("main").inner_text()
    cy = person(here, "cy")
    cy.goto(f"{here.base}/r/{REVIEW}/conflicts")
    assert "Conflict 1 of 10" in cy.locator("main").inner_text()  # maybe against exclude
    cy.keyboard.press("n")
    cy.keyboard.type("Both have a point. i e")
    cy.keyboard.press("Escape")
    press(cy, "i")
    assert "Settled: Included" in cy.locator("[role=status]").inner_text()
    assert "Conflict 1 of 9" in cy.locator("main").inner_text()
    votes = here.rows(
        "SELECT reviewer, role, verdict, count(*) FROM decision GROUP BY ALL ORDER BY ALL"
    )
    assert votes == [
        ("ada", "vote", "exclude", 10),
        ("ada", "vote", "include", 10),
        ("ada", "vote", "maybe", 10),
        ("bo", "vote", "exclude", 20),
        ("bo", "vote", "include", 10),
        ("cy", "adjudication", "include", 1),
    ]
    assert here.rows("SELECT count(*) FROM decision WHERE reason = 'wrong-population'") == [(10,)]
    assert here.rows("SELECT note FROM decision WHERE reviewer = 'cy'") == [
        ("Both have a point. i e",)
    ]


def test_undo_after_a_reload_brings_back_the_record_and_the_note(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(3)
    page = person(here, "ada")
    page.goto(here.base + TA)
    first = title(page)
    page.keyboard.press("n")
    page.keyboard.type("A pilot?")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.type("pilot, small")
    page.keyboard.press("Escape")
    press(page, "e")
    assert title(page) != first
    page.reload()
    page.goto(f"{here.base}/r/{REVIEW}/history")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("article")
    assert (
        title(page) == first
        and page.input_value("#note") == "A pilot?"
        and page.input_value("#tags") == "pilot, small"
    )
    press(page, "i")
    press(page, "z")
    assert title(page) == first
    press(page, "i")
    assert here.rows("SELECT verdict, tags FROM decision ORDER BY seq") == [
        ("exclude", ["pilot", "small"]),
        ("withdrawn", []),
        ("include", ["pilot", "small"]),
        ("withdrawn", []),
        ("include", ["pilot", "small"]),
    ]


def test_full_text_needs_a_reason_and_a_number_gives_it(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here, people = server(1), []
    for name in ("ada", "bo"):
        people.append(person(here, name))
        people[-1].goto(here.base + TA)
        press(people[-1], "i")
    for page in people:
        page.goto(here.base + FULL)
        press(page, "e")
        assert "needs one of these reasons" in page.locator("[role=alert]").first.inner_text()
        assert page.evaluate("() => document.activeElement.id") == "reason"
        assert page.get_attribute("#reason", "aria-invalid") == "true"
        press(page, "2")
        assert "Nothing waits for you here" in page.locator("main").inner_text()
    assert here.rows("SELECT state FROM screening_state") == [("excluded",)]
    assert here.rows("SELECT DISTINCT reason FROM decision WHERE stage = 'full_text'") == [
        ("wrong-design",)
    ]


def test_one_includes_the_other_cant_get_it_the_pdf_comes_and_the_other_decides(
    server: Callable[[int], Owner], person: Callable[..., Any], tmp_path: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    here = server(1)
    ada, bo = person(here, "ada"), person(here, "bo", bypass_csp=True)
    for page in (ada, bo):
        page.goto(here.base + TA)
        press(page, "i")
    ada.goto(here.base + FULL)
    press(ada, "i")
    bo.goto(here.base + FULL)
    bo.fill("#note", "no access, and the author does not answer")
    bo.keyboard.press("Escape")
    press(bo, "m")
    assert "Nothing waits for you here" in bo.locator("main").inner_text()

    bo.goto(f"{here.base}/r/{REVIEW}/retrieval")
    assert "the author does not answer" in bo.locator("main").inner_text()
    assert Axe().run(bo).response["violations"] == []
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    ada.goto(f"{here.base}/r/{REVIEW}/retrieval")
    ada.set_input_files("[name=file]", str(paper))
    ada.get_by_role("button", name="Add the PDF").click()
    ada.wait_for_selector("text=Back in the queues")

    bo.goto(here.base + FULL)
    assert "paper.pdf" in bo.locator("main").inner_text()
    press(bo, "2")
    assert "Nothing waits for you here" in bo.locator("main").inner_text()
    assert here.rows("SELECT state FROM screening_state") == [("conflict",)]
    assert here.rows("SELECT act FROM retrieval ORDER BY seq") == [("asked",), ("arrived",)]


def test_a_stale_tab_changes_nothing_and_says_so(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(2)
    page = person(here, "ada")
    page.goto(here.base + TA)
    other = page.context.new_page()
    other.goto(here.base + TA)
    press(page, "i")
    press(other, "e")
    assert "You had decided this record already" in other.locator("[role=status]").inner_text()
    second = title(other)
    press(other, "m")  # the next record stands there, and the keys go on
    assert f"Maybe: {second}" in other.locator("[role=status]").inner_text()
    assert here.rows("SELECT verdict FROM decision ORDER BY seq") == [("include",), ("maybe",)]


def test_an_answer_that_was_lost_is_found_out_and_never_told_as_another(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    """The decision arrives, its answer does not: the page says that it does not know, asks, and
    goes on.
    """
    here = server(3)
    page = person(here, "ada")
    page.goto(here.base + TA)
    first = title(page)

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/decide", lose)
    page.route("**/arrived/*", lambda route: route.abort())
    page.keyboard.press("e")
    page.wait_for_selector("#told:not([hidden])")
    assert (
        "We do not know whether it was saved" in page.inner_text("#told") and title(page) == first
    )
    page.unroute("**/decide")
    before = page.locator("main").element_handle()
    page.keyboard.press("i")
    page.wait_for_function("old => !old.isConnected", arg=before)
    line = page.locator("[role=status]")
    assert "Your Excluded had arrived" in line.inner_text() and title(page) != first
    page.get_by_role("button", name="Change it to Included").click()
    page.wait_for_function(
        "() => document.querySelector('[role=status]').textContent.includes('Included:')"
    )

    page.wait_for_function(
        "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"
    )
    page.unroute("**/arrived/*")
    page.route("**/decide", lose)
    second = title(page)
    page.keyboard.press("e")
    page.wait_for_function(
        "() => document.getElementById('told').textContent.startsWith('It was saved: Excluded')"
    )
    assert title(page) != second and "Excluded" in line.inner_text()
    assert here.rows("SELECT verdict FROM current_decision ORDER BY seq") == [
        ("include",),
        ("exclude",),
    ]


def test_the_hand_goes_on_after_a_reason_was_picked_a_skip_and_undos(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(4)
    page = person(here, "ada")
    page.goto(here.base + TA)
    first = title(page)
    press(page, "s")
    assert title(page) != first
    second = title(page)
    page.reload()
    assert title(page) == second
    page.select_option("#reason", "wrong-design")
    page.focus("#reason")
    press(page, "e")
    third = title(page)
    assert third not in (first, second)
    press(page, "i")
    press(page, "z")
    assert title(page) == third
    press(page, "z")
    assert title(page) == second and page.input_value("#reason") == "wrong-design"
    assert "nothing more to undo" in page.locator("[role=status]").inner_text()
    page.keyboard.press("z")
    page.wait_for_selector("#told:not([hidden])")
    assert "nothing more to undo" in page.inner_text("#told")
    press(page, "i")
    assert "(Wrong study design) was left out" in page.locator("[role=status]").inner_text()
    assert here.rows("SELECT verdict, reason FROM current_decision") == [("include", None)]


def test_a_key_acts_once_and_only_on_the_record_that_was_read(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    """Held down, pressed twice, with Ctrl, while typing, or in the dialog: no second decision comes
    of it.
    """
    here = server(5)
    page = person(here, "ada")
    page.goto(here.base + TA)
    page.route("**/decide", lambda route: (time.sleep(0.5), route.continue_()))
    page.keyboard.press("Control+i")
    page.keyboard.press("?")
    page.keyboard.press("i")
    page.keyboard.press("Escape")
    held = "() => document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'i', repeat: true, bubbles: true}))"
    page.evaluate(held)
    before = page.locator("main").element_handle()
    for _ in range(4):
        page.keyboard.press("i")
    page.wait_for_function("old => !old.isConnected", arg=before)
    page.wait_for_timeout(300)
    assert "1 done by you" in page.locator("main").inner_text()
    assert here.rows("SELECT count(*) FROM decision") == [(1,)]


def test_keys_can_be_other_tools_own_or_off(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(4)
    page = person(here, "ada")
    page.goto(here.base + TA)
    page.keyboard.press("?")
    page.select_option("#preset", "ASReview")
    page.keyboard.press("Escape")
    page.reload()
    press(page, "r")
    assert "Included" in page.locator("[role=status]").inner_text()
    press(page, "i")
    assert "Excluded" in page.locator("[role=status]").inner_text()
    page.click("[data-help]")
    page.fill("dialog input[name=maybe]", "q")
    page.press("dialog input[name=maybe]", "Tab")
    assert page.input_value("#preset") == "custom"
    page.keyboard.press("Escape")
    press(page, "q")
    assert "Maybe" in page.locator("[role=status]").inner_text()
    page.click("[data-help]")
    page.select_option("#preset", "off")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    page.wait_for_timeout(200)
    assert here.rows("SELECT verdict FROM decision ORDER BY seq") == [
        ("include",),
        ("exclude",),
        ("maybe",),
    ]


def test_what_was_typed_survives_a_server_that_is_killed(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(2)
    page = person(here, "ada")
    page.goto(here.base + TA)
    first = title(page)
    page.fill("#note", "Not lost")
    page.keyboard.press("Escape")
    here.stop(signal.SIGKILL)
    page.keyboard.press("i")
    page.wait_for_selector("#told:not([hidden])")
    assert (
        "We do not know whether it was saved" in page.inner_text("#told") and title(page) == first
    )
    here.start()
    page.wait_for_function(
        "() => document.getElementById('told').textContent.startsWith('It was not saved')"
    )
    assert title(page) == first and page.input_value("#note") == "Not lost"
    page.reload()
    assert page.input_value("#note") == "Not lost"
    press(page, "i")
    assert title(page) != first
    assert here.rows("SELECT verdict, note FROM decision") == [("include", "Not lost")]


def test_without_scripts_everything_is_a_plain_form(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(2)
    page = person(here, "ada", java_script_enabled=False)
    page.goto(here.base + TA)
    first = title(page)
    page.get_by_role("button", name="Exclude").click()
    assert title(page) != first
    page.get_by_role("button", name="Undo").click()
    assert title(page) == first and not page.locator("[data-help]").is_visible()


def test_no_page_is_wider_than_a_phone(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here, phone = server(1), {"viewport": {"width": 390, "height": 844}}
    pages = {name: person(here, name, **phone) for name in ("ada", "bo", "lena")}
    for name in ("ada", "bo"):
        pages[name].goto(here.base + TA)
        pages[name].get_by_role("button", name="Include").click()
        pages[name].wait_for_selector(".empty")
    pages["ada"].goto(here.base + FULL)
    pages["ada"].get_by_role("button", name="Can’t get it").click()
    pages["ada"].wait_for_selector(".empty")
    review = f"/r/{REVIEW}"
    paths = [
        TA,
        FULL,
        f"{review}/retrieval",
        f"{review}/history",
        review,
        f"{review}/team",
        f"{review}/acts",
        f"{review}/records",
        f"{review}/tags",
        f"{review}/searches",
        f"{review}/protocol",
        f"{review}/protocol/edit/outcomes",
        f"{review}/protocol/check",
        "/new",
    ]
    wide = {}
    pages["lena"].goto(f"{here.base}{review}/protocol")
    pages["lena"].get_by_role("button", name="Change it").click()
    for path in paths:
        pages["lena"].goto(here.base + path)
        width = pages["lena"].evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[path] = width
    assert wide == {}


def test_what_became_of_a_decision_is_said_in_sentences_beside_undo(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(4)
    page = person(here, "ada")
    page.goto(here.base + TA)
    decided = title(page)
    other = page.context.new_page()
    other.goto(here.base + TA)
    page.keyboard.press("i")
    page.wait_for_selector("[data-done]")
    other.keyboard.press("e")
    other.wait_for_selector(".status.notice")
    assert f"already: {decided}. Included is what" in " ".join(
        other.inner_text(".status.notice p").split()
    )
    words, undo = (other.locator(f".status {inner}").bounding_box() for inner in ("p", "button"))
    assert undo["x"] >= words["x"] + words["width"] and undo["y"] < words["y"] + words["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(
    server: Callable[[int], Owner], person: Callable[..., Any], scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    here, found_by_axe = server(3), {}
    options = {
        "viewport": {"width": width, "height": 900},
        "color_scheme": scheme,
        "bypass_csp": True,
    }
    for name, paths in (
        (
            "ada",
            (
                "/",
                TA,
                f"/r/{REVIEW}/history",
                f"/r/{REVIEW}/duplicates",
                f"/r/{REVIEW}/evidence/new",
            ),
        ),
        (
            "lena",
            (
                f"/r/{REVIEW}",
                f"/r/{REVIEW}/team",
                f"/r/{REVIEW}/files",
                f"/r/{REVIEW}/conflicts",
                f"/r/{REVIEW}/ledger",
                f"/r/{REVIEW}/assistant",
                f"/r/{REVIEW}/retrieval",
                f"/r/{REVIEW}/records?q=trial&state=open",
                f"/r/{REVIEW}/records/{article(1).record_id}",
                f"/r/{REVIEW}/searches",
                f"/r/{REVIEW}/protocol",
                f"/r/{REVIEW}/protocol/edit/criteria",
                f"/r/{REVIEW}/protocol/edit/searches",
                f"/r/{REVIEW}/protocol/edit/text",
                f"/r/{REVIEW}/protocol/check",
                "/new",
            ),
        ),
    ):
        page = person(here, name, **options)
        if name == "lena":
            page.goto(f"{here.base}/r/{REVIEW}/protocol")
            page.get_by_role("button", name="Change it").click()
        for path in paths:
            page.goto(here.base + path)
            answer = Axe().run(page)
            bad = [
                (one["id"], [node["html"] for node in one["nodes"]])
                for one in answer.response["violations"]
            ]
            if bad:
                found_by_axe[path] = bad
    assert found_by_axe == {}, json.dumps(found_by_axe, indent=1)


def test_a_lead_closes_an_account_by_mistake_and_takes_it_back_and_a_double_click_gives_one_secret(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    """Without a script too: the pages of acts have none."""
    here = server(2)
    bo = person(here, "bo")
    bo.goto(here.base + TA)
    press(bo, "e")
    lena = person(here, "lena", java_script_enabled=False)
    lena.goto(f"{here.base}/r/{REVIEW}/team")
    lena.get_by_role("button", name="Close the account of bo").click()
    effect = lena.locator("#effect").inner_text()
    assert "bo can't sign in any more." in effect and UNSEEN in effect
    lena.fill("#reason", "the wrong person")
    lena.get_by_role("button", name="Yes, do this").click()
    assert "Done: Close the account bo" in lena.locator("[role=status]").inner_text()
    bo.goto(f"{here.base}/")
    assert bo.url.startswith(f"{here.base}/sign-in")
    lena.get_by_role("button", name="Take it back").first.click()
    assert "Taken back: Close the account bo" in lena.locator("[role=status]").inner_text()
    bo.fill("[name=secret]", secret_of("bo"))
    bo.press("[name=secret]", "Enter")
    bo.goto(f"{here.base}/r/{REVIEW}/history")
    assert "Excluded" in bo.locator("main").inner_text()

    lena.goto(f"{here.base}/r/{REVIEW}/team")
    lena.fill("#name", "eve")
    lena.get_by_role("button", name="Open it").dblclick()
    lena.wait_for_url("**/team/secret")
    secret = lena.locator("code").inner_text().rpartition("/")[2]
    lena.reload()
    assert "No invitation to show" in lena.locator("main").inner_text()
    eve = person(here, "ada")
    eve.context.clear_cookies()
    eve.goto(f"{here.base}/invite/{secret}")
    eve.get_by_role("button", name="Go on").click()
    eve.click("text=I have kept it: go on")
    eve.wait_for_url(f"{here.base}/")
    made = here.rows("SELECT count(*) FROM account WHERE name = 'eve'")  # ends the owner
    assert made == [(2,)], "one by the double click, and eve's own"
    log = (here.settings.home / "owner.log").read_text()
    assert secret not in log and secret not in lena.url


def test_the_table_of_records_is_worked_by_keys_and_without_scripts(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(3)
    table = f"{here.base}/r/{REVIEW}/records"
    page = person(here, "ada")
    page.goto(table)
    page.keyboard.press("/")
    page.keyboard.type("trial")
    page.keyboard.press("Enter")
    page.wait_for_url("**/records?q=trial*")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    marked = "() => [...document.querySelectorAll('[data-mark]')].map(mark => mark.checked)"
    assert page.evaluate(marked) == [False, True, False]
    page.fill("#bulk-tag", "later")
    page.get_by_role("button", name="Tag", exact=True).click()
    page.wait_for_selector("text=The tag is on 1 report now.")
    page.get_by_role("link", name="later").first.click()
    page.wait_for_selector("text=1 report")

    plain = person(here, "bo", java_script_enabled=False)
    plain.goto(f"{table}?tag=later")
    plain.get_by_role("link", name="Trial").first.click()
    assert "ada tagged it later" in plain.locator("main").inner_text()
    plain.get_by_role("link", name="Records").last.click()
    assert "3 reports" in plain.locator("main").inner_text()


def test_what_is_typed_in_a_form_is_kept_and_two_tabs_keep_both(
    server: Callable[[int], Owner], person: Callable[..., Any]
) -> None:
    here = server(1)
    first = person(here, "ada")
    address = f"{here.base}/r/{REVIEW}/evidence/new"
    second = first.context.new_page()
    for page in (first, second):
        page.goto(address)
    first.fill("#label", "From the first tab")
    saved = "() => document.getElementById('draft-state').textContent.startsWith('Draft saved at')"
    first.wait_for_function(saved)
    here.stop(signal.SIGKILL)
    here.start()
    second.fill("#label", "From the second tab")
    second.wait_for_function(
        "() => document.getElementById('draft-state').textContent.includes('draft of its own')"
    )
    second.click("#draft-state a")
    assert second.input_value("#label") == "From the second tab"
    assert "You have 1 other draft" in second.inner_text("#drafts")
    first.reload()
    labels = {first.input_value("#label"), second.input_value("#label")}
    assert labels == {"From the second tab"}  # the one that was saved last
    first.click("text=Go on with this draft")
    assert first.input_value("#label") == "From the first tab"
    fields = [row[0] for row in here.rows("SELECT fields FROM extraction_draft ORDER BY fields")]
    assert [json.loads(text)["label"] for text in fields] == [
        "From the first tab",
        "From the second tab",
    ]


LINES = ["Most families said that they felt", "heard in the meetings. Staff left after a year."]
SENTENCE = "Most families said that they felt heard in the meetings."
WRONG = "Most families said that they did not feel heard in the meetings."
SELECT = """([from, to]) => {
  const nodes = [];
  let text = "";
  const pages = document.querySelector(".pdfViewer");
  const walker = document.createTreeWalker(pages, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    nodes.push([text.length, walker.currentNode]);
    text += walker.currentNode.data;
  }
  const point = (place) => {
    const [start, node] = nodes.findLast(([begin]) => begin <= place);
    return [node, place - start];
  };
  const last = point(text.indexOf(to) + to.length - 1);
  getSelection().setBaseAndExtent(...point(text.indexOf(from)), last[0], last[1] + 1);
}"""


def with_files(client: Local, settings: Settings) -> None:
    """One report included and one at full text, each with a PDF of three pages and an outline."""
    outline = [
        b"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 1>>",
        b"<</Title(Results)/Parent 10 0 R/Dest[6 0 R/XYZ 0 800 0]>>",
    ]
    script = b"/Outlines 10 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"
    pages = (["The first page"], LINES, ["The last page, about mentoring"])
    paper = pdfs.pdf(*pages, catalog=script, objects=outline)
    first, second = (article(number).record_id for number in (1, 2))
    include(client.store, first)
    for person in ("ada", "bo"):
        decide(client.store, second, person, "include")
    for record in (first, second):
        ops.full_text.attach(
            client.store,
            settings.full_texts,
            id=f"file-{record}",
            review=REVIEW,
            record=record,
            name="paper.pdf",
            body=paper,
            author="ada",
            now=NOW,
        )


def test_words_selected_in_a_pdf_become_the_quote_of_a_field_and_a_wrong_one_is_caught(
    server: Callable[..., Owner], person: Callable[..., Any]
) -> None:
    here = server(2, with_files)
    page = person(here, "ada")
    form = f"{here.base}/r/{REVIEW}/evidence/new?report={article(1).record_id}"
    page.goto(form)
    layer = ".pdfViewer .page[data-page-number='{}'] .textLayer .endOfContent"
    page.wait_for_selector(layer.format(1), state="attached")

    page.click("text=Outline")
    page.click(".reader-side >> text=Results")
    page.wait_for_selector(layer.format(2), state="attached")
    page.click(".contents >> text=Findings")
    page.focus("#findings-0-quote")
    page.evaluate(SELECT, ["Most families", "in the meetings."])
    page.click("text=Use as quote")
    page.wait_for_selector("text=Findings 1: Quote: Found on page 2 of the file.")
    assert page.input_value("#findings-0-quote") == SENTENCE
    assert page.input_value("#findings-0-page") == "2"
    assert page.locator(".quote-marks i").count() == 2

    page.fill("#findings-1-quote", WRONG)
    page.press("#findings-1-quote", "Tab")
    page.wait_for_selector(".place.missing >> text=Not found in the file")
    assert page.input_value("#findings-1-page") == ""

    page.fill(".page-number", "3")
    page.press(".page-number", "Enter")
    page.wait_for_function("() => document.querySelector('.reader-pages').scrollTop > 900")
    page.click(".place a")
    page.wait_for_selector(".quote-marks i.pointed")
    assert page.input_value(".page-number") == "2"
    page.fill(".look-for", "page")
    page.press(".look-for", "Enter")
    page.wait_for_selector("text=/ of 2$/ >> visible=true")
    page.press(".look-for", "Escape")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.page-number').value === '3'")
    page.goto(form)
    page.wait_for_function("() => document.querySelector('.page-number')?.value === '3'")
    assert page.problems == []


def test_a_pdf_stands_beside_a_record_at_full_text_and_behind_a_tab_on_a_phone(
    server: Callable[..., Owner], person: Callable[..., Any]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    here = server(2, with_files)
    form = f"/r/{REVIEW}/evidence/new?report={article(1).record_id}"
    page = person(here, "ada", bypass_csp=True)
    found_by_axe = {}
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for path in (FULL, form):
            page.goto(here.base + path)
            if width == 390:
                assert page.locator(".reader").is_hidden()
                page.click("[data-tab=pdf]")
                assert page.locator(".desk .ids, .extraction").first.is_hidden()
            page.wait_for_selector(".textLayer .endOfContent", state="attached")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if bad := Axe().run(page).response["violations"]:
                found_by_axe[width, path] = [
                    (rule["id"], [node["html"] for node in rule["nodes"]]) for rule in bad
                ]
    assert found_by_axe == {}

    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(here.base + FULL)
    page.wait_for_selector(".textLayer .endOfContent", state="attached")
    page.evaluate(SELECT, ["The first", "page"])
    page.click("text=Use as quote")
    page.wait_for_function("() => document.querySelector('#note').value !== ''")
    assert page.input_value("#note") == "“The first page” (page 1)"
    page.focus(".reader-pages")
    press(page, "1")
    assert "Nothing waits for you here" in page.locator("main").inner_text()
    assert page.locator("pdf-reader").count() == 0


def two_extractions(client: Local, _settings: Settings) -> None:
    """Ada and bo extracted a study, and differ in figures, words and a row."""
    protocol = (DATA / "review.toml").read_text(encoding="utf-8")
    client.run(
        Register(text=protocol.replace("licence =", "extractors = 2\nlicence =", 1), now=NOW)
    )
    record = article(1).record_id
    include(client.store, record)
    result = {"outcome": "attendance", "construct": "days", "higher_is_better": True}
    figures = {"measure": "SMD", "effect": 0.5, "ci_low": 0.3, "ci_high": 0.7, "n": 40}
    later = {**result, "time": 12, "time_unit": "months", **figures, "effect": 0.4, "ci_low": 0.1}
    finding = {"dimension": "implementation", "quote": "young people in residential care"}
    forms = {
        "ada": {
            "results": [{**result, **figures}, later],
            "findings": [{**finding, "text": "Homes took part where managers did."}],
            "population": "Young people in residential care",
        },
        "bo": {
            "results": [{**result, **figures, "n": 41}],
            "findings": [{**finding, "text": "Managers of homes mattered."}],
            "population": "Children in homes",
        },
    }
    for person, form in forms.items():
        data = {"study": "doe-2020", "label": "Doe 2020", "reports": [record], **form}
        client.run(Extract(id=person, review=REVIEW, data=data, extractor=person, now=NOW))


def test_two_extractions_are_settled_side_by_side_by_keys_alone(
    server: Callable[..., Owner], person: Callable[..., Any]
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    here = server(1, two_extractions)
    address = f"{here.base}/r/{REVIEW}/evidence/doe-2020/consensus"
    for options in (
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
        {"viewport": {"width": 1280, "height": 900}},
    ):
        page = person(here, "lena", **options, bypass_csp=True)
        page.goto(address)
        wrong = [(one["id"], one["nodes"]) for one in Axe().run(page).response["violations"]]
        assert wrong == []
        assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save as the consensus").press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.locator("[role=alert] li").count() == 3
    for name in ("take-results-0-n", "take-findings-0-text"):
        page.locator(f"[name={name}]").last.focus()
        page.keyboard.press("ArrowRight")  # from the last to the first of a group
        page.keyboard.press("ArrowRight")
    page.locator("[name=row-results-1]").first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save as the consensus").press("Enter")
    page.wait_for_url(f"{here.base}/r/{REVIEW}/evidence#doe-2020")
    assert "2 results, 1 finding" in page.inner_text("#doe-2020")
