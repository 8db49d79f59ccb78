"""Signing in through a provider that really listens, signs and checks.

And through ones that lie, stumble or hang.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote_plus, urlencode, urlsplit

import pytest
import requests
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from livereview import settings as environment
from livereview.errors import Refused, SourceBroken
from livereview.ops.team import add_account, close_account
from livereview.settings import OpenId, Settings
from livereview.store import accounts
from livereview.store.open import Store
from livereview.web import provider
from livereview.web.app import create
from tests.conftest import NOW, REVIEW, TestClient, secret_of

MAIL, BACK, SECRET = "ada@example.org", "http://testserver/sign-in/oidc/back", "s3cret:/+%é"
RSA, OTHER, EC = (
    RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}),
    RSAKey.generate_key(2048, {"kid": "one"}),
    ECKey.generate_key("P-256", {"kid": "two"}),
)
LAX = JWSRegistry(strict_check_header=False)  # signs with headers that no standard names
JSON = "application/json"
Reply = tuple[int, str, bytes]
SHORT = 0.75  # seconds: how long a test waits for a provider that dawdles


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes | None) -> str:
    """A token as no library would make it: without signature, or with an HMAC of whatever key."""
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(hmac.digest(key, text.encode(), 'sha256')) if key else ''}"


@dataclass
class Office:
    """A provider and all that a test may have it do wrong."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)  # on top of honest ones; None: left out
    sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "one"}, claims, RSA
    )
    listed: list[dict[str, Any]] = field(default_factory=lambda: [RSA.as_dict(private=False)])
    # by path: instead of the honest one; "hang", "drip"
    replies: dict[str, Reply | str] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    # on top of the token endpoint's honest answer
    answer: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)  # what userinfo says
    asked: list[str] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)  # authorisation requests
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)  # all that nobody else may see

    def document(self) -> dict[str, Any]:
        paths = {
            "authorization_endpoint": "/authorize?tenant=7",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
        }
        return {
            "issuer": self.issuer,
            **{name: self.issuer + path for name, path in paths.items()},
            **self.discovery,
        }

    def authorize(self, query: dict[str, str]) -> str:
        """The address that sends the person back."""
        self.sent.append(query)
        code = f"code-{len(self.sent)}-{'c' * 20}"
        self.codes[code] = query
        self.seen += [code, query["nonce"]]
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> Reply:
        known = self.codes.pop(form.get("code", ""), {})
        kind, _, pair = authorization.partition(" ")
        given = (
            [unquote_plus(one) for one in base64.b64decode(pair).decode().split(":")]
            if kind == "Basic"
            else []
        )
        self.seen.append(form["code_verifier"])
        if (given or [form.get("client_id"), form.get("client_secret")]) != ["livereview", SECRET]:
            return 401, JSON, b'{"error": "invalid_client"}'
        challenge = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if (known.get("code_challenge"), known.get("redirect_uri")) != (
            challenge,
            form["redirect_uri"],
        ):
            return 400, JSON, b'{"error": "invalid_grant"}'
        now = int(NOW.timestamp())
        honest = {
            "iss": self.issuer,
            "aud": "livereview",
            "sub": "7",
            "exp": now + 300,
            "iat": now,
            "email": MAIL,
        }
        claims = {**honest, "email_verified": True, "nonce": known["nonce"], **self.claims}
        made = self.sign({name: value for name, value in claims.items() if value is not None})
        self.seen.append(made)
        answer = {
            "access_token": "access-token",
            "token_type": "Bearer",
            "id_token": made,
            **self.answer,
        }
        return 200, JSON, json.dumps(answer).encode()


class Desk(BaseHTTPRequestHandler):
    office: Office

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            self.send_response(303)
            self.send_header("Location", self.office.authorize(dict(parse_qsl(parts.query))))
            self.end_headers()
        elif parts.path == "/me":
            allowed = self.headers["Authorization"] == "Bearer access-token"
            self._say(
                parts.path, (200 if allowed else 401, JSON, json.dumps(self.office.person).encode())
            )
        else:
            said = {"keys": self.office.listed} if parts.path == "/keys" else self.office.document()
            self._say(parts.path, (200, JSON, json.dumps(said).encode()))

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self._say(self.path, self.office.token(form, self.headers.get("Authorization", "")))

    def _say(self, path: str, honest: Reply) -> None:
        self.office.asked.append(path)
        reply = self.office.replies.get(path, honest)
        status, kind, body = (200, JSON, b" " * 300) if isinstance(reply, str) else reply
        if reply == "hang":
            time.sleep(2 * SHORT)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        try:
            for piece in [bytes([one]) for one in body] if reply == "drip" else [body]:
                self.wfile.write(piece)
                time.sleep(SHORT / 15 if reply == "drip" else 0)
        except OSError:
            pass  # the other side had enough

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Desk,), {"office": made}))
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, office: Office) -> Settings:
    """With a provider; the app of conftest is made of these."""
    oidc = OpenId(office.issuer, "livereview", SECRET, BACK)
    return Settings(home=tmp_path, secrets={}, memory="500MB", threads=1, oidc=oidc)


@pytest.fixture
def http(app: FastAPI, reviewed: Store) -> Iterator[TestClient]:
    """The browser of ada, who has an account with her address and is not signed in."""
    add_account(reviewed, name="ada", role="reviewer", secret=secret_of("ada"), email=MAIL, now=NOW)
    with TestClient(app, follow_redirects=False) as browser:
        yield browser


def leave_for(http: TestClient, next: str = "/") -> str:
    """Press the button.

    Where the provider sends the person back to once they have signed in there.
    """
    away = http.get(f"/sign-in/oidc?next={quote(next, safe='')}")
    assert away.status_code == 303, away.text
    return requests.get(away.headers["location"], allow_redirects=False, timeout=5).headers[
        "location"
    ]


def signed_in(http: TestClient) -> bool:
    return http.get("/").status_code == 200


def sessions(store: Store) -> int:
    with store.read() as con:
        return len(con.execute("SELECT name FROM session").fetchall())


def refused(http: TestClient, status: int, *words: str) -> str:
    """Go the whole way and not get in: a page of this status with these words."""
    page = http.get(leave_for(http))
    assert page.status_code == status and not signed_in(http), page.text
    assert all(word in page.text for word in words), page.text
    assert 'href="/sign-in?next=/"' in page.text
    return page.text


def test_the_whole_way_ends_where_it_began_and_in_a_session_of_twelve_hours(
    http: TestClient, office: Office
) -> None:
    home = leave_for(http, f"/r/{REVIEW}/history?a=1&b=ü")
    (sent,) = office.sent
    assert (
        sent["tenant"] == "7"
        and sent["scope"] == "openid email"
        and sent["response_type"] == "code"
    )
    assert sent["code_challenge_method"] == "S256" and len(sent["code_challenge"]) == 43
    answer = http.get(home)
    assert (
        answer.status_code == 303
        and answer.headers["location"] == f"/r/{REVIEW}/history?a=1&b=%C3%BC"
    )
    session, over = answer.headers.get_list("set-cookie")
    assert (
        session.startswith("livereview=") and "HttpOnly" in session and "Max-Age=43200" in session
    )
    assert over.startswith('livereview-oidc="";') and "Max-Age=0" in over
    assert "ada" in http.get("/").text and "livereview-oidc" not in http.cookies


def test_each_sign_in_has_secrets_of_its_own(http: TestClient, office: Office) -> None:
    for _ in range(2):
        leave_for(http)
    first, second = office.sent
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name] and len(first[name]) == 43


def test_a_new_session_replaces_the_one_of_this_browser(http: TestClient, reviewed: Store) -> None:
    http.post("/sign-in", data={"secret": secret_of("ada")})
    old = http.cookies["livereview"]
    http.get(leave_for(http))
    assert http.cookies["livereview"] != old and sessions(reviewed) == 1 and signed_in(http)
    http.cookies.clear()
    http.cookies.set("livereview", old)
    assert not signed_in(http)


def test_the_button_is_there_only_with_a_provider_and_secrets_stay_good(
    http: TestClient, reviewed: Store, settings: Settings
) -> None:
    page = http.get("/sign-in?next=/r/x%3Fa%3D1%26b").text
    assert 'href="/sign-in/oidc?next=/r/x%3Fa%3D1%26b">Sign in with your organisation' in page
    assert "Sign in with your organisation" in http.post("/sign-in", data={"secret": "wrong"}).text
    assert http.post(
        "/sign-in", data={"secret": secret_of("ada")}
    ).status_code == 303 and signed_in(http)
    without = TestClient(
        create(reviewed, replace(settings, oidc=None), token="t", clock=lambda: NOW)
    )
    assert "organisation" not in without.get("/sign-in").text
    for path in ("/sign-in/oidc", "/sign-in/oidc/back?state=x&code=y"):
        assert without.get(path).status_code == 404


@pytest.mark.parametrize(
    ("base", "name"), [("http", "livereview-oidc"), ("https", "__Host-livereview-oidc")]
)
def test_the_browsers_part_is_a_cookie_that_no_script_reads(
    http: TestClient, base: str, name: str
) -> None:
    given = http.get(f"{base}://testserver/sign-in/oidc").headers["set-cookie"]
    assert (
        given.startswith(f"{name}=")
        and "HttpOnly" in given
        and "SameSite=lax" in given
        and "Path=/" in given
    )
    assert (
        "Max-Age=600" in given
        and "Domain" not in given
        and ("Secure" in given) == (base == "https")
    )


@pytest.mark.parametrize(
    "evil", ["//evil.example", "/\\evil", "https://evil.example", "/" + "x" * 2_000]
)
def test_after_signing_in_one_stays_on_this_server(http: TestClient, evil: str) -> None:
    assert http.get(leave_for(http, evil)).headers["location"] == "/"


# Tokens that must not be believed

LATE = int(NOW.timestamp()) - 61


CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"nonce": "another"}, "another sign-in"),
    ({"nonce": None}, "another sign-in"),
    ({"aud": "another"}, "another service"),
    ({"aud": "another", "azp": "livereview"}, "another service"),
    ({"aud": ["another", "third"]}, "another service"),
    ({"aud": ["another", "livereview"]}, "another service"),  # no azp: it may be the other's token
    ({"azp": "another"}, "another service"),
    ({"iss": "https://evil.example"}, "another provider"),
    ({"iss": None}, "another provider"),
    ({"exp": LATE}, "expired"),
    ({"exp": None}, "expired"),
    ({"exp": "tomorrow"}, "expired"),
    ({"iat": int(NOW.timestamp()) + 61}, "from the future"),
    ({"nbf": int(NOW.timestamp()) + 61}, "missing or wrong"),
    ({"sub": None}, "missing or wrong"),
    ({"at_hash": "AAAA"}, "another token"),
    ({"at_hash": 7}, "another token"),
]


def test_a_token_for_others_or_out_of_its_time_opens_nothing(
    http: TestClient, office: Office, reviewed: Store
) -> None:
    for claims, why in CLAIMS:
        office.claims = claims
        assert why in refused(http, 502, "can&#39;t be trusted", "Start again"), claims
    assert sessions(reviewed) == 0
    office.claims = {"exp": LATE + 2, "aud": ["livereview"], "azp": "livereview"}
    assert http.get(leave_for(http)).status_code == 303


def pem(key: RSAKey) -> bytes:
    return key.as_pem(private=False)


SIGNATURES: list[tuple[Callable[[dict[str, Any]], str], str]] = [
    (lambda claims: by_hand({"alg": "none"}, claims, None), "RS256 or ES256"),
    (lambda claims: by_hand({"alg": "none", "kid": "one"}, claims, None), "RS256 or ES256"),
    (lambda claims: by_hand({"alg": "HS256", "kid": "one"}, claims, pem(RSA)), "RS256 or ES256"),
    (lambda claims: by_hand({"alg": "HS256"}, claims, SECRET.encode()), "RS256 or ES256"),
    (
        lambda claims: by_hand({"alg": "RS256", "kid": "one"}, claims, pem(RSA)),
        "signature is wrong",
    ),
    (lambda claims: by_hand({"kid": "one"}, claims, None), "signature is wrong"),
    (lambda claims: by_hand({"alg": ["RS256"], "kid": "one"}, claims, None), "signature is wrong"),
    (
        lambda claims: jwt.encode({"alg": "RS512", "kid": "one"}, claims, RSA, ["RS512"]),
        "RS256 or ES256",
    ),
    (
        lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER),
        "signature is wrong",
    ),
    (lambda claims: jwt.encode({"alg": "ES256", "kid": "one"}, claims, EC), "signature is wrong"),
    (lambda claims: jwt.encode({"alg": "RS256", "kid": "new"}, claims, RSA), "does not list"),
    (
        lambda claims: jwt.encode({"alg": "ES256", "jwk": EC.as_dict(private=False)}, claims, EC),
        "signature is wrong",
    ),
    (
        lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSA)[:-9],
        "signature is wrong",
    ),
    (lambda claims: "a.b", "signature is wrong"),
    (lambda claims: "é", "without a token"),
]


def test_only_the_providers_own_signature_counts(
    app: FastAPI, http: TestClient, office: Office
) -> None:
    for number, (sign, why) in enumerate(SIGNATURES):
        app.state.shared.provider._keys, office.sign = None, sign
        office.asked.clear()
        assert why in refused(http, 502), number
        assert office.asked.count("/keys") == {"does not list": 2, "without a token": 0}.get(
            why, 1
        ), number


def test_a_key_too_short_or_of_another_kind_is_passed_over(
    http: TestClient, office: Office
) -> None:
    odd = {"kty": "RSA", "n": RSA.as_dict()["n"], "e": 3, "kid": "one"}
    office.listed = [
        {"kty": "PQ"},
        "x",
        {"kty": "oct", "k": "AAAA", "kid": "one"},
        odd,
        *office.listed,
    ]  # type: ignore[list-item]
    assert http.get(leave_for(http)).status_code == 303
    office.listed = [{**RSA.as_dict(private=False), "n": str(RSA.as_dict()["n"])[:300]}]
    office.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "new"}, claims, RSA)
    assert "no keys" in http.get(leave_for(http)).text


def test_keys_may_change_and_are_of_two_kinds(http: TestClient, office: Office) -> None:
    assert http.get(leave_for(http)).status_code == 303
    office.listed = [EC.as_dict(private=False)]
    office.sign = lambda claims: jwt.encode(
        {"alg": "ES256", "kid": "two", "x-new": 1}, claims, EC, registry=LAX
    )
    for _ in range(2):
        assert http.get(leave_for(http)).status_code == 303
    assert office.asked.count("/keys") == 2, "once at first, once for the key that was new"
    assert office.asked.count("/.well-known/openid-configuration") == 1


def test_what_is_known_of_the_provider_is_asked_again_after_an_hour(
    app: FastAPI, http: TestClient, office: Office
) -> None:
    http.get(leave_for(http))
    app.state.shared = replace(app.state.shared, clock=lambda: NOW + timedelta(hours=1))
    leave_for(http)
    assert office.asked.count("/.well-known/openid-configuration") == 2


# Whose account it is


def test_an_address_that_is_not_verified_opens_nothing(http: TestClient, office: Office) -> None:
    for verified in (False, None, "true", 1):
        office.claims = {"email_verified": verified}
        refused(http, 403, f"not verified the address {MAIL}", "help desk")


def test_without_an_address_one_learns_what_to_ask_for(http: TestClient, office: Office) -> None:
    for email in (None, "", "ada", 7, [MAIL], f"{MAIL}, bo@example.org", f"{'a' * 250}@b.cd"):
        office.claims = {"email": email}
        refused(http, 403, "does not tell your mail address")


def test_the_address_of_no_account_opens_nothing_and_makes_none(
    http: TestClient, office: Office, reviewed: Store
) -> None:
    office.claims = {"email": "eve@example.org"}
    refused(http, 403, "eve@example.org", "Ask the lead of your review")
    with reviewed.read() as con:
        assert [one.name for one in accounts.names(con)] == ["ada"]
    close_account(reviewed, name="ada", now=NOW)
    office.claims = {}
    refused(http, 403, "no account here has this address")


def test_capitals_do_not_matter_and_look_alikes_do(
    http: TestClient, office: Office, reviewed: Store
) -> None:
    office.claims = {"email": "Ada@Example.ORG"}
    assert http.get(leave_for(http)).status_code == 303
    http.cookies.clear()
    add_account(
        reviewed, name="kim", role="lead", secret=secret_of("kim"), email="kim@example.org", now=NOW
    )
    office.claims = {"email": "\N{KELVIN SIGN}im@example.org"}
    refused(http, 403, "no account here")
    add_account(
        reviewed, name="zoe", role="lead", secret=secret_of("zoe"), email="zoë@example.org", now=NOW
    )
    with reviewed.read() as con:
        assert [one.name for one in accounts.by_email(con, "zoë@example.org")] == ["zoe"]
        assert accounts.by_email(con, "") == []


def test_an_address_of_two_accounts_opens_neither(http: TestClient, reviewed: Store) -> None:
    add_account(
        reviewed, name="lena", role="lead", secret=secret_of("lena"), email=MAIL.upper(), now=NOW
    )
    refused(http, 403, "More than one account", "Ask the lead")
    close_account(reviewed, name="lena", now=NOW)
    assert http.get(leave_for(http)).status_code == 303 and "ada" in http.get("/").text


def test_an_address_may_stand_elsewhere_if_it_is_the_same_persons(
    http: TestClient, office: Office
) -> None:
    office.discovery, office.claims = {"userinfo_endpoint": f"{office.issuer}/me"}, {"email": None}
    office.person = {"sub": "7", "email": MAIL, "email_verified": True}
    assert http.get(leave_for(http)).status_code == 303 and signed_in(http)
    http.cookies.clear()
    office.person = {**office.person, "sub": "8"}
    refused(http, 502, "somebody else")
    office.person = {"sub": "7", "email": MAIL}
    refused(http, 403, "not verified")
    office.answer = {"access_token": "a\r\nX-Evil: 1"}
    refused(http, 502, "without a usable access token")


# Ways that others began, or that are over


def test_a_way_back_can_be_taken_once(http: TestClient, reviewed: Store) -> None:
    home = leave_for(http)
    assert http.get(home).status_code == 303
    http.cookies.delete("livereview")
    again = http.get(home)
    assert (
        again.status_code == 400
        and "over already" in again.text
        and 'href="/sign-in"' in again.text
    )
    assert not signed_in(http) and sessions(reviewed) == 1


def test_the_state_of_another_browser_is_refused_and_spent(
    app: FastAPI, http: TestClient, office: Office
) -> None:
    home = leave_for(http)
    with TestClient(app, follow_redirects=False) as victim:
        assert victim.get(home).status_code == 400
        mine = leave_for(victim)
        swapped = mine.replace(office.sent[1]["state"], office.sent[0]["state"])
        assert victim.get(swapped).status_code == 400 and not signed_in(victim)
    assert http.get(home).status_code == 400 and not signed_in(http)
    assert "/token" not in office.asked


def test_a_code_of_another_way_or_used_before_is_refused(
    http: TestClient, office: Office, app: FastAPI
) -> None:
    used = parse_qs(urlsplit(leave_for(http)).query)["code"][0]
    for code in (
        used,
        used,
    ):  # the first time its PKCE challenge is another's, the second time it is gone
        leave_for(http)
        page = http.get(
            "/sign-in/oidc/back", params={"state": office.sent[-1]["state"], "code": code}
        )
        assert page.status_code == 403 and "used before" in page.text and not signed_in(http)


def test_a_way_back_that_nobody_began_leads_nowhere(http: TestClient, office: Office) -> None:
    for query in ("", "?code=x", "?state=x&code=y", "?state=%00&code=%0d%0a", "?state=%C3%A9"):
        assert http.get(f"/sign-in/oidc/back{query}").status_code == 400 and office.asked == []


def test_a_way_ends_after_ten_minutes(app: FastAPI, http: TestClient) -> None:
    early, late = leave_for(http), NOW + timedelta(minutes=10)
    app.state.shared = replace(app.state.shared, clock=lambda: late)
    assert http.get(early).status_code == 400
    leave_for(http)
    assert len(app.state.shared.pending_sign_ins.under_way) == 1


def test_ways_under_way_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, app: FastAPI, http: TestClient
) -> None:
    monkeypatch.setattr(provider, "MOST", 3)
    first = leave_for(http)
    for _ in range(3):
        leave_for(http)
    assert (
        len(app.state.shared.pending_sign_ins.under_way) == 3 and http.get(first).status_code == 400
    )


# A provider that says no, stumbles or is away


NOES: list[tuple[dict[str, str], int, str]] = [
    ({"error": "access_denied", "error_description": "<b>x"}, 403, "did not sign you in"),
    ({"error": "server_error"}, 503, "Try again later"),
    ({"error": "invalid_scope"}, 502, "(invalid_scope)"),
    ({"error": "<script>"}, 502, "does not accept"),
    ({}, 502, "does not accept"),
    ({"code": "x", "iss": "https://evil.example"}, 502, "another provider"),
]


def test_a_no_is_told_in_our_own_words(http: TestClient, office: Office) -> None:
    for said, status, words in NOES:
        leave_for(http)
        page = http.get("/sign-in/oidc/back", params={"state": office.sent[-1]["state"], **said})
        assert page.status_code == status and words in page.text and "&lt;" not in page.text, said
        assert "/token" not in office.asked and "livereview-oidc" not in http.cookies


def test_a_provider_that_always_names_itself_must_do_so(http: TestClient, office: Office) -> None:
    office.discovery = {"authorization_response_iss_parameter_supported": True}
    refused(http, 502, "another provider")
    assert http.get(f"{leave_for(http)}&iss={office.issuer}").status_code == 303


TROUBLE: list[tuple[Reply | str, int]] = [
    ((500, JSON, b"{}"), 503),
    ((503, "text/html", b"<html>"), 503),
    ("hang", 503),
    ("drip", 503),
    ((200, "text/html", b"<html>Sign in"), 502),
    ((200, JSON, b"[]"), 502),
    ((200, JSON, b"[" * 100_000), 502),
    ((200, JSON, b"{}"), 502),
    ((200, JSON, b'{"x": "' + b"x" * 300_000 + b'"}'), 502),
    ((302, JSON, b"{}"), 502),
    ((401, JSON, b'{"error": "invalid_client"}'), 502),
]


def patience(reply: Reply | str) -> float:
    """Short where the provider dawdles.

    Long elsewhere, so that a busy machine is not taken for a slow provider.
    """
    return SHORT if isinstance(reply, str) else 5.0


@pytest.mark.parametrize("path", ["/token", "/keys", "/me"])
def test_trouble_on_the_way_back_is_a_page_with_the_next_step(
    app: FastAPI, http: TestClient, office: Office, path: str
) -> None:
    office.discovery, office.claims = {"userinfo_endpoint": f"{office.issuer}/me"}, {"email": None}
    for reply, status in TROUBLE:
        app.state.shared.provider._keys, office.replies = None, {path: reply}
        app.state.shared.provider.timeout = patience(reply)
        office.asked.clear()
        assert "again" in refused(http, status, "sign in with your secret"), reply
        assert office.asked.count(path) == 1 and "/elsewhere" not in office.asked, reply


def test_trouble_before_leaving_is_one_too(app: FastAPI, http: TestClient, office: Office) -> None:
    for reply, status in TROUBLE:
        app.state.shared.provider.timeout = patience(reply)
        office.replies = {"/.well-known/openid-configuration": reply}
        page = http.get("/sign-in/oidc?next=/r/x")
        assert page.status_code == status and 'href="/sign-in?next=/r/x"' in page.text, reply
        assert "livereview-oidc" not in http.cookies
    office.replies = {}
    assert http.get(leave_for(http)).status_code == 303, "nothing of it was kept"


UNSAFE: list[dict[str, Any]] = [
    {"issuer": "https://evil.example"},
    {"token_endpoint": "http://example.org/token"},
    {"token_endpoint": None},
    {"jwks_uri": "file:///etc/passwd"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"userinfo_endpoint": "ftp://127.0.0.1/"},
    {"padding": "x" * provider.LARGEST},  # all else in it is right
]


def test_a_provider_of_another_name_or_with_unsafe_addresses_is_none(
    http: TestClient, office: Office
) -> None:
    for wrong in UNSAFE:
        office.discovery = wrong
        page = http.get("/sign-in/oidc")
        assert page.status_code == 502 and "location" not in page.headers, wrong


def test_a_provider_elsewhere_can_not_send_us_to_this_very_machine(office: Office) -> None:
    far = OpenId("https://id.example", "c", "s", BACK)
    said = {**office.document(), "issuer": far.issuer}
    with pytest.raises(SourceBroken, match="not https"):
        provider._place(far, said)


def test_a_provider_that_is_away_is_told_and_secrets_are_still_good(
    reviewed: Store, settings: Settings, http: TestClient
) -> None:
    gone = replace(settings, oidc=OpenId("http://127.0.0.1:9", "c", "s", BACK))
    with TestClient(create(reviewed, gone, token="t", clock=lambda: NOW)) as browser:
        page = browser.get("/sign-in/oidc")
        assert page.status_code == 503 and "does not answer" in page.text
        assert browser.post(
            "/sign-in", data={"secret": secret_of("ada")}
        ).status_code == 200 and signed_in(browser)


def test_a_slow_provider_does_not_take_all_the_threads(app: FastAPI, http: TestClient) -> None:
    talks = app.state.shared.provider._talks
    for _ in range(provider.AT_ONCE):
        assert talks.acquire(blocking=False)
    page = http.get("/sign-in/oidc")
    assert page.status_code == 503 and "half a minute" in page.text
    talks.release()
    assert http.get(leave_for(http)).status_code == 303


def test_a_client_whose_secret_goes_in_the_form(http: TestClient, office: Office) -> None:
    office.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert http.get(leave_for(http)).status_code == 303


def test_no_code_token_or_secret_gets_into_the_log(
    http: TestClient, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert http.get(leave_for(http)).status_code == 303
    http.cookies.clear()
    for wrong in ({"nonce": "another"}, {"email_verified": False}):
        office.claims = wrong
        http.get(leave_for(http))
    office.replies = {"/token": (401, JSON, json.dumps({"error": SECRET}).encode())}
    http.get(leave_for(http))
    ours = [
        record
        for record in caplog.records
        if record.name.startswith(("livereview", "urllib3.connectionpool"))
    ]
    # that was the browser
    served = [one.getMessage() for one in ours if "GET /authorize" not in one.getMessage()]
    kept = "\n".join(served)
    assert "it belongs to another sign-in" in kept
    hidden = [*office.seen, *(one["state"] for one in office.sent), SECRET, "access-token", MAIL]
    assert len(hidden) > 15 and not [one for one in hidden if one in kept]


# The settings

ALL = {
    "LIVEREVIEW_OIDC_ISSUER": "https://id.example/realms/x",
    "LIVEREVIEW_OIDC_CLIENT_ID": "livereview",
    "LIVEREVIEW_OIDC_CLIENT_SECRET": SECRET,
    "LIVEREVIEW_URL": "https://reviews.example/",
}


def test_the_settings_are_all_or_none_and_never_show_the_secret() -> None:
    read = environment.read(ALL)
    assert read.oidc == OpenId(
        ALL["LIVEREVIEW_OIDC_ISSUER"], "livereview", SECRET, "https://reviews.example" + BACK[17:]
    )
    assert SECRET not in f"{read!r} {read.oidc!r}"
    assert environment.read({"LIVEREVIEW_URL": "http://lan.example"}).oidc is None
    for name in ALL:
        with pytest.raises(Refused, match=name) as told:
            environment.read({**ALL, name: ""})
        assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://id.example", True),
        ("https://id.example:8443/realms/x", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://id.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost@evil.example", False),
        ("https://", False),
        ("https://a b", False),
        ("https://a:99999", False),
        ("https://[::1", False),
        ("https://é.example", False),
        ("file:///etc/passwd", False),
        ("id.example", False),
    ],
)
def test_addresses_are_https_or_of_this_machine(url: str, good: bool) -> None:
    assert environment.sealed(url) == good
    for name in ("LIVEREVIEW_OIDC_ISSUER", "LIVEREVIEW_URL"):
        if good:
            assert environment.read({**ALL, name: url}).oidc
        else:
            with pytest.raises(Refused, match=f"{name} must be like https"):
                environment.read({**ALL, name: url})
    with pytest.raises(Refused, match="must be like"):
        environment.read({**ALL, "LIVEREVIEW_OIDC_ISSUER": "https://id.example/?x=1"})
