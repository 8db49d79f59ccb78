"""What an OpenID Connect provider says: its addresses, its keys, and the mail address of who comes
back from it.

Whatever it sends is checked here before anybody is believed: OpenID Connect Core 1.0, section
3.1.3.7, with PKCE (RFC 7636) and the issuer's name in the answer (RFC 9207). Nothing here logs, and
no error repeats what came.
"""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import requests
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import ClaimError, InvalidKeyIdError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry
from urllib3.exceptions import HTTPError

from livereview.errors import Refused, Retry, SourceBroken
from livereview.settings import OpenId, sealed
from livereview.store.accounts import digest
from livereview.wire import WatchedAdapter, time_limit

# made with the provider's private key only: no "none", and no key that both sides know
ALGORITHMS = ("RS256", "ES256")
KEPT = timedelta(hours=1)  # how long addresses and keys count as fresh
LEEWAY = 60  # seconds that the provider's clock may be off
LARGEST = 256_000  # bytes of an answer
MOST = 10_000  # sign-ins under way
AT_ONCE = 4  # talks with the provider: a slow one must not take all the threads of the app
# talks and those that wait for their turn: each holds a thread of the app, which has forty
IN_LINE = 16
TURN = 3.0  # seconds that one waits for a turn: a class that signs in together gets in
SHORTEST = 342  # letters of an RSA key's modulus in base64: 2,048 bits (RFC 7518, section 3.3)
ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
AGAIN = "Start again; if it stays, sign in with your secret and tell who runs this server."
WRONG = {
    "nonce": "it belongs to another sign-in",
    "iss": "it is signed in another provider's name",
    "aud": "it is meant for another service",
    "azp": "it is meant for another service",
    "exp": "it has expired, or one of the two clocks is wrong",
    "iat": "it is from the future, or one of the two clocks is wrong",
    "at_hash": "it belongs to another token",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider does what (OpenID Connect Discovery 1.0, section 3)."""

    authorize: str
    token: str
    keys: str
    userinfo: str | None
    by_post: bool  # it takes a client's secret in the form only
    names_itself: bool  # its answers always carry its name (RFC 9207)


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """One sign-in under way: what only this server and the browser that began it may know."""

    browser: str = field(repr=False)  # digest of that browser's cookie
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    ends: datetime


@dataclass(slots=True)
class PendingSignIns:
    """Sign-ins under way by their state, in memory: a restart lets them begin again.

    Each comes back once.
    """

    under_way: dict[str, PendingSignIn] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, state: str, pending: PendingSignIn, now: datetime) -> None:
        """Remember it.

        The oldest are forgotten where there are too many, so that nobody can fill the memory.
        """
        with self.lock:
            kept = [(key, one) for key, one in self.under_way.items() if one.ends > now]
            self.under_way = {**dict(kept[-(MOST - 1) :]), state: pending}

    def end(self, state: str, browser: str, now: datetime) -> PendingSignIn | None:
        """The one of this state, if it is in time and this browser began it.

        Whoever asks, it is over.
        """
        with self.lock:
            pending = self.under_way.pop(state, None)
        known = pending is not None and hmac.compare_digest(pending.browser, digest(browser))
        if pending and known and pending.ends > now:
            return pending
        return None


@dataclass(frozen=True, slots=True)
class Back:
    """What the address says with which somebody comes back; empty: nothing."""

    code: str = field(repr=False)
    error: str
    issuer: str


@dataclass(slots=True)
class Provider:
    """The provider as this process knows it, in memory: a restart asks again.

    Attributes:
        timeout: Seconds for a step of a talk; the whole may take twice as long.
    """

    timeout: float = 5.0
    _place: tuple[datetime, OpenId, Place] | None = None
    _keys: tuple[datetime, Place, KeySet] | None = None
    _line: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(IN_LINE)
    )
    _talks: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )

    def address(self, oidc: OpenId, pending: PendingSignIn, state: str, now: datetime) -> str:
        """Where the browser goes to sign in.

        Raises:
            Retry: where the provider is away, SourceBroken where it is none.
        """
        with self._talk():
            place = self.place(oidc, now)
        found: str = prepare_grant_uri(
            place.authorize,
            oidc.client,
            "code",
            oidc.back,
            "openid email",
            state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return found

    def email(self, oidc: OpenId, pending: PendingSignIn, back: Back, now: datetime) -> str:
        """The mail address that the provider vouches for.

        Raises as `address`, and Refused where there is none.
        """
        with self._talk():
            place = self.place(oidc, now)
            _agreed(oidc, place, back)
            answer = self._exchange(oidc, place, pending, back.code)
            token = self._verified(place, answer.get("id_token"), now)
            _claims(token, oidc, pending, answer, now)
            said = token.claims
            if place.userinfo and not {"email", "email_verified"} <= said.keys():
                said = self._userinfo(place.userinfo, answer, said["sub"])
        return _vouched(said)

    def place(self, oidc: OpenId, now: datetime) -> Place:
        """Its addresses, by its discovery document."""
        if self._place is None or self._place[1] != oidc or now - self._place[0] >= KEPT:
            said = self._document(oidc.issuer.rstrip("/") + "/.well-known/openid-configuration")
            self._place = (now, oidc, _place(oidc, said))
        return self._place[2]

    def keys(self, place: Place, now: datetime, *, fresh: bool = False) -> KeySet:
        """What its tokens are signed with; `fresh`: whatever was kept."""
        if fresh or self._keys is None or self._keys[1] != place or now - self._keys[0] >= KEPT:
            self._keys = (now, place, _key_set(self._document(place.keys)))
        return self._keys[2]

    @contextmanager
    def _talk(self) -> Iterator[None]:
        busy = Retry("Many people sign in at this moment. Try again in half a minute.")
        if not self._line.acquire(blocking=False):
            raise busy
        try:
            if not self._talks.acquire(timeout=TURN):
                raise busy
            try:
                yield
            finally:
                self._talks.release()
        finally:
            self._line.release()

    def _exchange(
        self, oidc: OpenId, place: Place, pending: PendingSignIn, code: str
    ) -> dict[str, Any]:
        """The token endpoint's answer to a code (RFC 6749, section 4.1.3)."""
        body = prepare_token_request(
            "authorization_code",
            "",
            oidc.back,
            code=code,
            code_verifier=pending.verifier,
            client_id=oidc.client,
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        # In the header both are percent-encoded first (RFC 6749, section 2.3.1).
        if place.by_post:
            pair = (oidc.client, oidc.secret)
        else:
            pair = (quote_plus(oidc.client), quote_plus(oidc.secret))
        client = ClientAuth(*pair, "client_secret_post" if place.by_post else "client_secret_basic")
        url, headers, body = client.prepare("POST", place.token, headers, body)
        status, said = self._ask("POST", url, headers, body)
        if status == 400 and said.get("error") == "invalid_grant":
            raise Refused("This sign-in was used before, or took too long. Start again.")
        if status != 200:
            raise SourceBroken(
                f"Your organisation's sign-in does not accept this server's request ({status}). {AGAIN}"
            )
        return said

    def _userinfo(self, url: str, answer: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """What it says of the person elsewhere, for providers that keep addresses out of tokens
        (Core, section 5.4).
        """
        token = answer.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise _rubbish("an answer without a usable access token")
        said = self._document(url, {"Authorization": f"Bearer {token}"})
        if said.get("sub") != subject:
            raise _untrusted("it speaks of somebody else")
        return said

    def _verified(self, place: Place, token: Any, now: datetime) -> jwt.Token:
        """The token, signed with a key of the provider.

        The keys are asked for once more where it names a new one.
        """
        if not isinstance(token, str) or not token.isascii():
            raise _rubbish("an answer without a token")
        # RFC 7515: unknown headers are ignored
        rules = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            try:
                return jwt.decode(token, self.keys(place, now), registry=rules)
            except InvalidKeyIdError:
                return jwt.decode(token, self.keys(place, now, fresh=True), registry=rules)
        except InvalidKeyIdError:
            raise _untrusted("it is signed with a key that the provider does not list") from None
        except UnsupportedAlgorithmError:
            raise _untrusted(f"it must be signed with {' or '.join(ALGORITHMS)}") from None
        except (JoseError, ValueError, TypeError, KeyError):
            raise _untrusted("its signature is wrong") from None

    def _document(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        status, said = self._ask("GET", url, headers or {})
        if status != 200:
            raise SourceBroken(
                f"Your organisation's sign-in answers with an error ({status}). {AGAIN}"
            )
        return said

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of an answer.

        The adapter is asked directly: no redirect is followed or read, and neither proxies nor
        .netrc of the environment are heeded. Raises Retry for none in time and for 5xx,
        SourceBroken for one that is no JSON object.
        """
        sent = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "livereview",
            **headers,
        }
        status, got, silent = 0, b"", False
        with time_limit(2 * self.timeout) as watchdog:
            try:
                prepared = requests.Request(method, url, sent, data=body).prepare()
                with (
                    closing(WatchedAdapter()) as wire,
                    wire.send(prepared, True, (self.timeout, self.timeout)) as answer,
                ):
                    status, got = (
                        answer.status_code,
                        self._body(answer) if answer.status_code < 500 else b"",
                    )
            except (requests.RequestException, HTTPError, OSError):
                silent = True
        if silent or watchdog.expired:
            raise Retry(
                "Your organisation's sign-in does not answer. Try again in a minute, or sign in with your secret."
            )
        if status >= 500:
            raise Retry(
                f"Your organisation's sign-in has a fault ({status}). Try again later, or sign in with your secret."
            )
        return status, _object(got)

    def _body(self, answer: requests.Response) -> bytes:
        body = b""
        while piece := answer.raw.read1(65_536, decode_content=False):
            body += piece
            if len(body) > LARGEST:
                raise _rubbish("an answer that is too long")
        return body


def _object(body: bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        if isinstance(said := json.loads(body), dict):
            return said
    raise _rubbish("something that is no JSON object")


def _place(oidc: OpenId, said: Mapping[str, Any]) -> Place:
    """A discovery document, read; it must be of the provider that was asked."""
    if said.get("issuer") != oidc.issuer:
        raise SourceBroken(
            f"The provider's own name is not the one in LIVEREVIEW_OIDC_ISSUER. {AGAIN}"
        )
    found = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    userinfo = said.get("userinfo_endpoint")
    for url in [*found, *([userinfo] if userinfo is not None else [])]:
        if (
            not isinstance(url, str)
            or not sealed(url)
            or url[:5].lower() == "http:" != oidc.issuer[:5].lower()
        ):
            raise _rubbish("addresses that are missing, or not https")
    ways = said.get("token_endpoint_auth_methods_supported")
    by_post = (
        isinstance(ways, list)
        and "client_secret_basic" not in ways
        and "client_secret_post" in ways
    )
    named = said.get("authorization_response_iss_parameter_supported") is True
    authorize, token, keys = map(str, found)
    return Place(authorize, token, keys, userinfo, by_post, named)


def _key_set(said: Mapping[str, Any]) -> KeySet:
    """The keys that can check a signature here.

    Others in the list are passed over (RFC 7517, section 5).
    """
    listed, found = said.get("keys"), list[Key]()
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and _fits(one):
            with suppress(JoseError, ValueError, TypeError, KeyError):
                found.append(JWKRegistry.import_key(one))
    if not found:
        raise _rubbish("no keys")
    return KeySet(found)


def _fits(key: Mapping[str, Any]) -> bool:
    if key.get("kty") == "RSA":
        return len(str(key.get("n"))) >= SHORTEST
    return key.get("kty") == "EC" and key.get("crv") == "P-256"


def _agreed(oidc: OpenId, place: Place, back: Back) -> None:
    """Refuse an answer of another provider, and one that says no."""
    if back.issuer != oidc.issuer and (back.issuer or place.names_itself):
        raise _untrusted("it came from another provider")
    if back.error in (
        "access_denied",
        "login_required",
        "interaction_required",
        "consent_required",
    ):
        raise Refused(
            "Your organisation did not sign you in. Start again, or sign in with your secret."
        )
    if back.error in ("temporarily_unavailable", "server_error"):
        raise Retry(
            "Your organisation's sign-in has a fault. Try again later, or sign in with your secret."
        )
    if back.error or not back.code:
        word = f" ({back.error})" if re.fullmatch("[a-z_]{1,40}", back.error) else ""
        raise SourceBroken(
            f"Your organisation's sign-in does not accept this server's request{word}. {AGAIN}"
        )


def _claims(
    token: jwt.Token, oidc: OpenId, pending: PendingSignIn, answer: Mapping[str, Any], now: datetime
) -> None:
    """Refuse a token of another issuer, for another service or sign-in, and one out of its time."""
    rules = {"iss": {"value": oidc.issuer}, "aud": {"value": oidc.client}}
    known = {
        "nonce": pending.nonce,
        "client_id": oidc.client,
        "access_token": answer.get("access_token"),
    }
    try:
        CodeIDToken(token.claims, token.header, rules, known).validate(int(now.timestamp()), LEEWAY)
    except ClaimError as error:
        raise _untrusted(WRONG.get(error.claim, "something in it is missing or wrong")) from None
    except (JoseError, ValueError, TypeError):
        raise _untrusted("something in it is missing or wrong") from None


def _vouched(said: Mapping[str, Any]) -> str:
    email = said.get("email")
    if not isinstance(email, str) or len(email) > 254 or not ADDRESS.fullmatch(email):
        raise Refused(
            "Your organisation's sign-in does not tell your mail address. Ask its help desk to release it to this"
            " server, or sign in with your secret."
        )
    if said.get("email_verified") is not True:
        raise Refused(
            f"Your organisation has not verified the address {email}. Verify it there or ask its help desk, or sign in"
            " with your secret."
        )
    return email


def _rubbish(what: str) -> SourceBroken:
    return SourceBroken(f"Your organisation's sign-in sends {what}. {AGAIN}")


def _untrusted(why: str) -> SourceBroken:
    return SourceBroken(f"What your organisation's sign-in sent can't be trusted: {why}. {AGAIN}")
