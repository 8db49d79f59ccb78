"""The rows of test_security.py's table that need the web app: every route, kind of answer and kind
of visitor.
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from livereview import ops, rights
from livereview.errors import LivereviewError, Refused, Retry
from livereview.ops import full_text, publish, surveil, taking_in
from livereview.ops.team import add_account, add_token, close_account
from livereview.settings import Settings
from livereview.sources.protocol import Request
from livereview.store.accounts import BEGINS
from livereview.store.open import Store
from livereview.web import bodies, guard, security_headers
from livereview.web.app import PageRoute, add
from tests.conftest import NOW, REVIEW, Browser, TestClient, article, found, secret_of
from tests.test_ops import _openalex
from tests.test_web_full_text import PDF
from tests.test_web_screen import TA, in_force, vote
from tests.world import TOY, Time, World, making, reply

People = Callable[..., Browser]
SHA = hashlib.sha256(PDF).hexdigest()
OTHER = "other"
FORM = "application/x-www-form-urlencoded"
HEADERS = set(security_headers.PRIVATE)
FILLED = {
    "review": (REVIEW,),
    "stage": ("title_abstract", "full_text"),
    "kind": ("csv", "xlsx", "ris"),
    "sha256": (SHA, "0" * 64),
    "name": ("style.css", "screening.js", "htmx-2.0.11.min.js"),
    "path": (
        "",
        f"{REVIEW}/latest/",
        f"{REVIEW}/latest/index.html",
        f"{REVIEW}/latest/summary.json",
        "nothing",
    ),
}


def routes(app: FastAPI, method: str) -> list[APIRoute]:
    return [
        route
        for route in app.routes
        if isinstance(route, APIRoute) and method in (route.methods or ())
    ]


def addresses(app: FastAPI, method: str, **known: tuple[str, ...]) -> list[str]:
    """Every address of the app with everything that its paths may be filled with."""
    values = {**FILLED, **known}
    made = []
    for route in routes(app, method):
        names = re.findall(r"\{(\w+)(?::path)?\}", route.path)
        for chosen in product(*(values.get(name, ("x",)) for name in names)):
            pairs = dict(zip(names, chosen, strict=True))
            made.append(
                re.sub(
                    r"\{(\w+)(?::path)?\}", lambda found, pairs=pairs: pairs[found[1]], route.path
                )
            )  # type: ignore[misc]
    return made


def token(app: FastAPI, http: TestClient) -> str:
    """The form token of the session in this browser."""
    return guard.RequestUser(app.state.shared, None, http.cookies["livereview"]).csrf  # type: ignore[arg-type]


def mine(app: FastAPI, person: Browser) -> dict[str, str]:
    """What every form of this person's pages carries."""
    return {"csrf": token(app, person.http), "form": "a" * 32}


def built(store: Store, settings: Settings) -> dict[str, bytes]:
    """Publish the small review; every published byte by its path."""
    publish.publish(store, review=REVIEW, folder=settings.site, now=NOW)
    return {
        str(path.relative_to(settings.site)): path.read_bytes()
        for path in settings.site.rglob("*.*")
    }


# 1, 2, 5: what publishers send

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><item><guid>1</guid>
<title><![CDATA[Trial <script>alert(1)</script><img src=x onerror=alert(2)> of care]]></title>
<description><![CDATA[<p>Text <img src="https://tracker.example/x.gif"> more</p>]]></description><link>{link}</link>
</item></channel></rss>"""


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,evil",
        "vbscript:evil",
        "//evil.example/x",
    ],
)
def test_a_hostile_feed_entry_is_plain_text_without_a_link(
    reviewed: Store, browser: People, link: str
) -> None:
    body = RSS.format(link=link).encode()
    surveil.import_file(reviewed, review=REVIEW, source="feed", name="f.xml", body=body, now=NOW)
    page = browser("ada").get(TA)
    assert "Trial" in page and "of care" in page and "Nothing waits" not in page
    assert page.count("<script") == page.count('<script src="/static/') == 2
    assert "<img" not in page and "tracker.example" not in page and "onerror" not in page
    outside = [
        address
        for address in re.findall(r'(?:href|src)="([^"]*)"', page)
        if not address.startswith(("/", "#"))
    ]
    assert outside == ["data:,"] and "evil" not in page, (
        "the empty icon is the only address outside of the app"
    )


def test_a_web_link_opens_without_telling_where_it_came_from(
    reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1, doi=None, url="https://ok.example/?a=1&q=<script>'\""))
    (link,) = re.findall(r'<a href="https://ok[^>]*>', browser("ada").get(TA))
    assert 'rel="noopener noreferrer"' in link and "&lt;script&gt;&#39;&#34;" in link


def test_what_was_escaped_twice_is_unescaped_once_and_stays_text(
    reviewed: Store, browser: People, settings: Settings
) -> None:
    surveil.begin(reviewed, review=REVIEW, name="openalex", search="s", now=NOW)
    title = "Risk &amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt; trial"
    surveil.ingest(reviewed, search="s", body=_openalex("W1", title=title), now=NOW)
    surveil.finish(reviewed, search="s", now=NOW)
    page = browser("ada").get(TA)
    assert (
        "Risk &amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt; trial" in page
        and "<script>alert" not in page
    )
    with reviewed.read() as con:
        ((record, kept),) = con.execute("SELECT record_id, title FROM record").fetchall()
    assert kept == "Risk &lt;script&gt;alert(1)&lt;/script&gt; trial"
    for stage, person in product(("title_abstract", "full_text"), ("ada", "bo")):
        vote(reviewed, record, person, "include", stage)
    assert not [
        name for name, body in built(reviewed, settings).items() if b"<script>alert" in body
    ]


# 6, 28: headers of every kind of answer


def answers(app: FastAPI, lena: Browser, base: str) -> Iterator[tuple[str, object]]:
    """(address, response) of every route and of every kind of refusal."""
    http = TestClient(app, base_url=base, raise_server_exceptions=False, follow_redirects=False)
    yield "nobody", http.get("/")
    http.post("/sign-in", data={"secret": secret_of("lena")})
    for path in addresses(app, "GET"):
        yield f"GET {path}", http.get(path)
        yield f"HEAD {path}", http.head(path)
    for path in addresses(app, "POST", name=("status",)):
        if path != "/sign-out":
            yield f"POST {path} without a field", http.post(path)
            yield (
                f"POST {path} from elsewhere",
                http.post(path, headers={"Sec-Fetch-Site": "cross-site"}),
            )
    for path in (
        "/nowhere",
        "/r/nothing",
        "/static/nothing",
        "/healthz/",
        "/broken",
        "/busy",
        "/bad",
    ):
        yield f"GET {path}", http.get(path)
    for method in ("OPTIONS", "PUT", "DELETE"):
        yield f"{method} /", http.request(method, "/")
    form = {"Content-Type": FORM}
    yield (
        "too large",
        http.post("/sign-in", content=(b"x" * 100_000 for _ in range(30)), headers=form),
    )
    yield (
        "no multipart",
        http.post("/sign-in", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data"}),
    )
    style = http.get("/static/style.css").headers["etag"]
    yield "unchanged", http.get("/static/style.css", headers={"If-None-Match": style})
    yield "wrong secret", http.post("/sign-in", data={"secret": "wrong"})


@pytest.mark.parametrize("base", ["http://testserver", "https://testserver"])
def test_every_kind_of_answer_carries_the_headers(
    app: FastAPI, reviewed: Store, browser: People, settings: Settings, base: str
) -> None:
    def fail(error: Exception) -> None:
        raise error

    (record,) = found(reviewed, article(1))
    attached(reviewed, settings, REVIEW, record)
    built(reviewed, settings)
    for path, error in (
        ("/broken", ValueError("x")),
        ("/busy", Retry("later")),
        ("/bad", Refused("no")),
    ):
        add(app, PageRoute("GET", path, lambda error=error: fail(error), rights.OPEN_TO_ALL))
    seen = set()
    for place, answer in answers(app, browser("lena", "lead"), base):
        headers = answer.headers  # type: ignore[attr-defined]
        seen.add(answer.status_code)  # type: ignore[attr-defined]
        assert set(headers) >= {name.lower() for name in HEADERS}, place
        policy = headers["content-security-policy"]
        shared = re.search(r"/(site|static)|unchanged", place)
        assert "default-src 'none'" in policy and (
            "frame-ancestors 'none'" in policy or "sandbox" in policy
        ), place
        assert "unsafe" not in policy or shared, place
        latest = "/latest/" in place and answer.status_code in (200, 304)  # type: ignore[attr-defined]
        kept = "public, max-age=300, must-revalidate" if latest else "no-cache"
        assert headers["cache-control"] in ((kept, "no-cache") if shared else ("no-store",)), place
        assert ("access-control-allow-origin" in headers) == bool(shared or "/oembed" in place), (
            place
        )
        assert ("strict-transport-security" in headers) == base.startswith("https"), place
        assert "set-cookie" not in headers or "/sign-" in place, place
    assert seen >= {200, 303, 304, 307, 400, 401, 403, 404, 405, 413, 422, 500, 503}


# 7: forms of other sites

ELSEWHERE = (
    *({"Sec-Fetch-Site": site} for site in ("cross-site", "same-site")),
    *(
        {"Origin": f"http://{host}"}
        for host in ("evil.example", "testserver.evil.example", "testserver:8080")
    ),
)


def test_no_form_of_any_route_is_taken_from_another_site_or_session(
    app: FastAPI, reviewed: Store, browser: People
) -> None:
    found(reviewed, article(1))
    bea, ada = browser("bea"), browser("lena", "lead")
    mine, old = token(app, ada.http), token(app, bea.http)
    for path in addresses(app, "POST", name=("status",)):
        for headers in ELSEWHERE:
            answer = ada.http.post(
                path, data={"csrf": mine, "secret": secret_of("bea")}, headers=headers
            )
            assert answer.status_code == 403 and "set-cookie" not in answer.headers, (path, headers)
        if path.startswith(("/sign-in", "/suggest", "/comment", "/api", "/invite", "/first")):
            continue  # nobody is signed in there: no session that a form could misuse
        for given in ({}, {"csrf": ""}, {"csrf": old}, {"csrf": mine[:-1]}):
            assert ada.http.post(path, data=given).status_code == 403, (path, given)
        assert ada.http.post(f"{path}?csrf={mine}").status_code == 403, path
        assert ada.http.post(path, json={"csrf": mine}).status_code == 403, path
        plain = {"Content-Type": "text/plain"}
        assert ada.http.post(path, content=f"csrf={mine}", headers=plain).status_code == 403, path
    assert in_force(reviewed) == [] and ada.http.get("/").status_code == 200


def test_a_token_ends_with_its_session(app: FastAPI, reviewed: Store, browser: People) -> None:
    found(reviewed, article(1))
    ada = browser("ada")
    ada.get(TA)
    action, old = ada.form("Include")
    ada.http.post("/sign-in", data={"secret": secret_of("ada")})
    assert ada.http.post(action, data=old).status_code == 403 and in_force(reviewed) == []


# 8: sessions


@pytest.mark.parametrize(("base", "name"), [("http", "livereview"), ("https", "__Host-livereview")])
def test_a_session_that_somebody_planted_never_becomes_mine(
    app: FastAPI, reviewed: Store, base: str, name: str
) -> None:
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    http, planted = (
        TestClient(app, base_url=f"{base}://testserver", follow_redirects=False),
        "planted" * 6,
    )
    mine = {"Cookie": f"{name}={planted}; livereview={planted}"}
    given = http.post("/sign-in", data={"secret": secret_of("ada")}, headers=mine).headers[
        "set-cookie"
    ]
    assert re.match(rf"{name}=[\w-]{{43}};", given) and planted not in given
    thief = TestClient(app, base_url=f"{base}://testserver", follow_redirects=False)
    assert thief.get("/", headers=mine).status_code == 303
    if (
        base == "https"
    ):  # a cookie that another host of the domain could have set counts for nothing
        session = given.split("=")[1].split(";")[0]
        assert thief.get("/", headers={"Cookie": f"livereview={session}"}).status_code == 303


# 9: records of another review


def attached(store: Store, settings: Settings, review: str, record: str) -> None:
    given = {
        "id": f"f-{review}",
        "record": record,
        "name": "paper.pdf",
        "body": PDF,
        "author": "cleo",
        "now": NOW,
    }
    full_text.attach(store, settings.full_texts, review=review, **given)  # type: ignore[arg-type]


@pytest.fixture
def foreign(reviewed: Store, protocol: str, settings: Settings) -> dict[str, str]:
    """What another review of this server has: two records, a vote, a file, a search and a task, by
    their ids.
    """
    surveil.register(reviewed, text=protocol.replace("small-review", OTHER), now=NOW)
    record, second = found(
        reviewed,
        *(article(n, title=f"Foreign title {n}") for n in (8, 9)),
        review=OTHER,
        search="foreign-search",
    )
    ops.screen.decide(
        reviewed, id="x", review=OTHER, record=record, stage="title_abstract", reviewer="lena", verdict="include",
        note="a foreign note", now=NOW,
    )  # fmt: skip
    attached(reviewed, settings, OTHER, record)
    ops.tips.suggest(reviewed, review=OTHER, id="t", title="Foreign suggestion", now=NOW)
    found(reviewed, article(1), search="own")
    return {
        "record": record,
        "second": second,
        "task": f"tip:{OTHER}:t",
        "report": record,
        "search": "foreign-search",
    }


def test_ids_of_another_review_show_nothing_inside_ones_own(
    app: FastAPI, foreign: dict[str, str], browser: People
) -> None:
    lena = browser("lena", "lead")
    names = ("record", "done", "undone", "task", "search", "report", "reference")
    for path in addresses(app, "GET", path=("",)):
        if path == "/":
            continue  # the list of reviews
        for value in foreign.values():
            asked = "&".join(f"{name}={value}" for name in names)
            text = lena.http.get(f"{path}?{asked}&stage=title_abstract").content
            typed = asked
            if path.endswith("/records"):  # the table shows each choice of its address again
                typed = value
            for word in (
                b"Foreign",
                b"foreign note",
                b"foreign-search",
                b"cleo",
                foreign["record"].encode(),
            ):
                assert word not in text.replace(typed.encode(), b""), (path, word)
    assert lena.http.get(f"/r/{REVIEW}/full-text/{SHA}").status_code == 404
    assert lena.http.get(f"/r/{OTHER}/full-text/{SHA}").content == PDF
    assert lena.http.get(f"/r/{REVIEW}/full-text/{foreign['record']}").status_code == 404


def test_ids_of_another_review_change_nothing_inside_ones_own(
    app: FastAPI, reviewed: Store, foreign: dict[str, str], browser: People
) -> None:
    def everything() -> list[object]:
        tables = ("decision", "match", "full_text", "task_end", "reopening", "outbox", "stopping")
        with reviewed.read() as con:
            return [
                con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables
            ]

    lena, (own,) = browser("lena", "lead"), records_of(reviewed, REVIEW)
    before, base = everything(), f"/r/{REVIEW}"
    given = {**mine(app, lena), "stage": "title_abstract", "verdict": "include"}
    record = {**given, "record": foreign["record"]}
    for path in ("decide", "conflicts"):
        assert lena.http.post(f"{base}/{path}", data=record).status_code == 404, path
    for role in ("vote", "adjudication"):
        assert lena.http.post(f"{base}/undo", data={**record, "role": role}).status_code == 404
    assert (
        lena.http.post(f"{base}/full-text", data=record, files={"file": ("a.pdf", PDF)}).status_code
        == 404
    )
    for left, right in ((own, foreign["record"]), (foreign["record"], foreign["second"])):
        pair = {**given, "left": left, "right": right, "verdict": "same"}
        assert lena.http.post(f"{base}/duplicates", data=pair).status_code == 404
    for outcome in ("accepted", "declined", "noted", "reopened"):
        task = {**given, "task": foreign["task"], "outcome": outcome}
        assert lena.http.post(f"{base}/tasks", data=task).status_code == 422
    rows = (
        f"record,stage,reviewer,verdict\n{foreign['record']},title_abstract,ann,include\n".encode()
    )
    answer = lena.http.post(f"{base}/import", data=given, files={"file": ("a.csv", rows)})
    assert "<strong>1</strong> refused" in answer.text and "no record of review" in answer.text
    assert everything() == before


def records_of(store: Store, review: str) -> list[str]:
    with store.read() as con:
        return [
            row[0]
            for row in con.execute(
                "SELECT record_id FROM hit WHERE review = ?", [review]
            ).fetchall()
        ]


# 10: the vote of the other


def everything_shown(
    app: FastAPI, http: TestClient, store: Store, settings: Settings, record: str
) -> dict[str, object]:
    """All that this visitor gets from every GET route: status, headers and body but for the random
    ids of forms.
    """
    files = tuple(built(store, settings))
    ops.ranking.rerank(store, review=REVIEW, now=NOW, apart=False)
    shown: dict[str, object] = {}
    for path in addresses(app, "GET", path=files):
        for query in ("", *(f"?{name}={record}" for name in ("record", "done", "undone"))):
            if query and not path.startswith("/r/"):
                continue
            answer = http.get(path + query, follow_redirects=False)
            text = re.sub(rb'name="form" value="[0-9a-f]{32}"', b"", answer.content)
            headers = dict(answer.headers)
            del headers["x-request-id"]  # of each request its own
            shown[path + query] = (answer.status_code, len(answer.content), headers, text)
    return shown


@pytest.mark.parametrize("stage", ["title_abstract", "full_text"])
@pytest.mark.parametrize("role", ["reviewer", "adjudicator", "reader", None])
def test_whether_the_other_included_or_excluded_is_nowhere_until_i_have_voted(
    app: FastAPI, reviewed: Store, browser: People, settings: Settings, stage: str, role: str | None
) -> None:
    first, *_ = found(reviewed, article(1), article(2), article(3))
    if stage == "full_text":
        for person in ("cy", "di"):
            vote(reviewed, first, person, "include")
    http = browser("bea", role).http if role else TestClient(app)
    # what is asked for by name is theirs from then on
    everything_shown(app, http, reviewed, settings, first)
    shown = []
    for number, verdict in enumerate(
        ["include", "exclude"] + ["maybe"] * (stage == "title_abstract")
    ):
        word = {
            "review": REVIEW,
            "record": first,
            "stage": stage,
            "reviewer": "zachary",
            "now": NOW,
        }
        more = {"note": "a telling note", "tags": ["telltag"]}
        if verdict == "exclude":
            more["reason"] = "wrong-design"
        ops.screen.decide(reviewed, id=f"v{number}", verdict=verdict, **more, **word)  # type: ignore[arg-type]
        shown.append(everything_shown(app, http, reviewed, settings, first))
        ops.screen.decide(reviewed, id=f"w{number}", verdict="withdrawn", **word)  # type: ignore[arg-type]
    for one in shown:
        assert one == shown[0]
    assert len(shown[0]) > 40 and not re.search(r"zachary|telling|telltag", str(shown))


def test_the_same_look_finds_the_vote_where_it_may_be_seen(
    app: FastAPI, reviewed: Store, browser: People, settings: Settings
) -> None:
    record, _ = found(reviewed, article(1), article(2))
    vote(reviewed, record, "zachary", "include", note="a telling note")
    lena = browser("lena", "lead")
    lena.get(f"/r/{REVIEW}/team")
    lena.press("I do not screen in this review")
    shown = everything_shown(app, lena.http, reviewed, settings, record)
    told = {path for path, answer in shown.items() if re.search("zachary|telling", str(answer))}
    exports, table = f"/r/{REVIEW}/export/", f"/r/{REVIEW}/records"
    reports = f"/api/v1/reviews/{REVIEW}/reports"
    assert {f"{exports}csv", reports} <= told
    assert all(path.startswith((exports, table, reports)) for path in told), told


def test_a_refused_form_tells_nothing_of_the_others_vote(reviewed: Store, browser: People) -> None:
    (record,) = found(reviewed, article(1))
    bea = browser("bea")
    said = []
    for verdict in ("include", "exclude"):
        vote(reviewed, record, "zachary", verdict, note="telling")
        bea.get(TA)
        said.append(
            [bea.press("Exclude", reason="nonsense"), bea.http.post(f"/r/{REVIEW}/conflicts").text]
        )
        word = {
            "id": f"w{verdict}",
            "review": REVIEW,
            "record": record,
            "reviewer": "zachary",
            "now": NOW,
        }
        ops.screen.decide(reviewed, stage="title_abstract", verdict="withdrawn", **word)  # type: ignore[arg-type]
    clean = [[re.sub(r'value="[0-9a-f]{32}"', "", text) for text in texts] for texts in said]
    assert clean[0] == clean[1] and "Not saved" in clean[0][0] and "zachary" not in str(clean)


# 12, 13, 14: signing in


def test_wrong_secrets_count_whatever_the_request_claims_to_be(
    app: FastAPI, reviewed: Store
) -> None:
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
    for number in range(guard.TRIES + 1):
        claims = {
            "X-Forwarded-For": f"10.0.0.{number}",
            "Forwarded": f"for=10.0.0.{number}",
            "User-Agent": str(number),
        }
        http = TestClient(app)  # without the cookies of the last one
        answer = http.post(
            "/sign-in", data={"secret": f"wrong {number}", "next": f"/{number}"}, headers=claims
        )
        assert answer.status_code == (401 if number < guard.TRIES else 429), number
    assert int(answer.headers["retry-after"]) > 800
    right = {"secret": secret_of("ada")}
    for address in ("testclient", "192.0.2.7"):
        http = TestClient(app, client=(address, 1), follow_redirects=False)
        assert http.post("/sign-in", data=right).status_code == 303, (
            "a right secret is never locked out"
        )


def test_a_refusal_does_not_tell_whether_an_account_exists(app: FastAPI, reviewed: Store) -> None:
    for name in ("ada", "gone"):
        add_account(reviewed, name=name, role="reviewer", secret=secret_of(name), now=NOW)
    close_account(reviewed, name="gone", now=NOW)
    ada = secret_of("ada")
    tried = ("ada", secret_of("nobody"), secret_of("gone"), ada[:-1], ada.upper(), "", "-", "\0")
    said = [TestClient(app).post("/sign-in", data={"secret": secret}) for secret in tried]
    for answer in said:
        del answer.headers["x-request-id"]  # of each request its own
    told = {(answer.status_code, answer.text, str(answer.headers.multi_items())) for answer in said}
    assert len(told) == 1 and said[0].status_code == 401


EVIL = ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/%5c"]


@pytest.mark.parametrize("evil", EVIL)
def test_no_address_of_ours_leads_to_another_server(
    app: FastAPI, browser: People, evil: str
) -> None:
    page = TestClient(app).get("/sign-in", params={"next": evil}).text
    assert ('name="next" value="/"' in page) == (evil != "/%5c") and "evil.example" not in page
    lena = browser("lena", "lead")
    form = {
        **mine(app, lena),
        "record": "r1",
        "stage": evil,
        "following": evil,
        "at": "0",
        "next": evil,
    }
    paths = [("GET", path) for path in addresses(app, "GET", path=("/evil.example", f"/{REVIEW}"))]
    paths += [
        ("POST", path) for path in addresses(app, "POST", name=("status",)) if path != "/sign-out"
    ]
    for method, path in paths:
        answer = lena.http.request(method, path, params=form, data=form, follow_redirects=False)
        target = answer.headers.get("location")
        assert target is None or re.match(r"/(?![/\\])", target), (path, target)


# 18, 20: what is sent, and ids in addresses


def test_uploads_are_bounded_and_a_bomb_is_refused_in_words(
    app: FastAPI, reviewed: Store, browser: People
) -> None:
    lena, bomb = browser("lena", "lead"), io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("../../xl/workbook.xml", bytes(50_000_000))
    sheet = {"file": ("../../../etc/passwd.xlsx", bomb.getvalue())}
    answer = lena.http.post(f"/r/{REVIEW}/import", data=mine(app, lena), files=sheet)
    assert answer.status_code == 422 and "unpacks to more than" in answer.text
    program = f"{BEGINS}lena-{'t' * 30}"
    scopes = ("read", "screen", "extract", "manage")
    asked: dict[str, object] = {"label": "x", "secret": program, "by": "test", "now": NOW}
    add_token(reviewed, account="lena", scopes=scopes, **asked)  # type: ignore[arg-type]
    for path in addresses(app, "POST", name=("status",)):
        # it ends where the server stops reading
        content = (b"x" * 100_000 for _ in range(bodies.PAGE // 100_000 + 1))
        token = {}
        if path.startswith("/api/ops/"):
            token = {"Authorization": "Bearer owner-token"}
        elif path.startswith("/api/"):
            token = {"Authorization": f"Bearer {program}"}
        answer = lena.http.post(path, content=content, headers={"Content-Type": FORM, **token})
        # fifty PDFs, or the files of an import, may be more than is sent here
        if path.endswith(("/retrieval/files", "/bring")):
            assert answer.status_code == 400, path
            continue
        assert answer.status_code == 413 and "the limit is" in answer.text, path
    many = "&".join(f"f{number}=1" for number in range(1_100))
    assert (
        lena.http.post(
            f"/r/{REVIEW}/decide", content=many, headers={"Content-Type": FORM}
        ).status_code
        == 400
    )


NAMES = [
    "..%2fetc",
    "%2e%2e",
    "%2e",
    "A",
    f"{REVIEW}%0a",
    f"{REVIEW}%00",
    f"{REVIEW}'--",
    "%ff",
    "%d0%b0",
    "x" * 65,
]


@pytest.mark.parametrize("name", NAMES)
def test_no_id_of_an_address_leads_out_of_its_folder(
    app: FastAPI, browser: People, settings: Settings, name: str
) -> None:
    lena = browser("lena", "lead")
    before = sorted(settings.home.rglob("*"))
    for path in addresses(app, "GET", review=(name,), path=(f"{name}/latest/index.html",)):
        if name in path:
            assert lena.http.get(path).status_code == 404, path
    for path in addresses(app, "POST", review=(name,), name=("status",)):
        if name in path:
            assert lena.http.post(path, data=mine(app, lena)).status_code in (404, 422), path
    for path in ("full-text/{}", "export/{}", "screen/{}"):
        assert lena.http.get(f"/r/{REVIEW}/{path.format(name)}").status_code in (404, 422), path
    assert sorted(settings.home.rglob("*")) == before


# 26, 27: logs


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """What the service logged: not the lines of the test's own client."""
    own = [
        record
        for record in caplog.records
        if record.name.partition(".")[0] not in ("httpx", "httpx2", "asyncio")
    ]
    return "\n".join(logging.Formatter("%(name)s %(message)s").format(record) for record in own)


def test_no_secret_is_in_the_log_the_output_or_the_database(
    app: FastAPI,
    browser: People,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    caplog.set_level(logging.DEBUG)
    lena, key = browser("lena", "lead"), "k3y-of-openalex"
    with World() as world, making(world, Time(), secrets={"OPENALEX_API_KEY": key}) as fetcher:
        asked = Request(
            world.script("/works", reply(_openalex("W1"))),
            secrets=(("api_key", "OPENALEX_API_KEY"),),
        )
        body = base64.b64encode(fetcher.get(asked, TOY).body).decode()
        assert world.seen[0].query == {"api_key": key}
    steps: dict[str, dict[str, object]] = {
        "begin": {"review": REVIEW, "name": "openalex"},
        "ingest": {"body": {"base64": body}},
        "finish": {},
    }
    owner = {"Authorization": "Bearer owner-token"}
    codes = [
        lena.http.post(f"/api/ops/{name}", json={"search": "s", **steps[name]}, headers=owner)
        for name in steps
    ]
    monkeypatch.setattr(taking_in, "read_page", broken)
    codes.append(
        lena.http.post("/api/ops/ingest", json={"search": "s", **steps["ingest"]}, headers=owner)
    )
    assert [answer.status_code for answer in codes] == [200, 200, 200, 500], (
        "the last one is a bug with a trace"
    )
    lena.get(f"/r/{REVIEW}/team")
    (secret,) = re.findall(
        r"/invite/([\w-]{32})</code>", lena.press("Open it", name="dora", role="reader")
    )
    told = logged(caplog) + "".join(capfd.readouterr())
    assert "/works 200" in told and "operation ingest failed" in told
    kept = b"".join(path.read_bytes() for path in settings.home.glob("livereview.duckdb*"))
    hidden = (
        secret_of("lena"),
        lena.http.cookies["livereview"],
        token(app, lena.http),
        key,
        "owner-token",
        secret,
    )
    assert [one for one in hidden if one in told or one.encode() in kept] == []


def test_nothing_that_came_in_starts_a_line_of_the_log(
    app: FastAPI, reviewed: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    evil = "x\r\n2026-03-02 CRITICAL forged\x1b[31m"
    http, owner = TestClient(app), {"Authorization": "Bearer owner-token"}
    http.get("/x%0d%0aforged%1b", params={"q": evil})
    http.post("/sign-in", data={"secret": evil, "next": evil}, headers={"User-Agent": "forged"})
    http.post("/api/ops/x%0d%0aforged%1b", json={evil: evil}, headers=owner)
    for name, given in (
        ("begin", {"review": REVIEW, "name": "openalex"}),
        ("finish", {"error": evil}),
    ):
        assert (
            http.post(f"/api/ops/{name}", json={"search": evil, **given}, headers=owner).status_code
            == 200
        )
    with World() as world, making(world, Time()) as fetcher:
        for path in ("/a%0d%0aforged%1b", "/a\r\nforged\x1b"):
            with pytest.raises(LivereviewError):
                fetcher.get(Request(world.base + path), TOY)
    assert len(logged(caplog).splitlines()) >= 2
    assert not [line for line in caplog.messages if re.search(r"[\x00-\x1f\x7f]", line)]
