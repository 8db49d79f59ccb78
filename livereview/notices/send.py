"""Sending notices: mail through the operator's own server, events to the addresses that people
gave.

The mail server's address is the operator's setting and may be anywhere. A webhook's address is
anybody's: use a session of `guarded()`, which connects to public addresses only.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from base64 import b64encode
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import getaddresses
from importlib.metadata import version
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from livereview.errors import LivereviewError, Refused, Retry
from livereview.fetch.address import Guarded, Resolve, look_up
from livereview.notices.digest import one_line
from livereview.notices.message import aware, signature
from livereview.wire import WatchedSecureSMTP, WatchedSMTP, malformed, time_limit

SMTP_PORTS = {"smtp": 25, "smtps": 465}
SUBMISSION = 587  # RFC 6409, where starttls=1 names no port
HERE = ("localhost", "127.0.0.1", "::1")
TIMEOUT = 10.0  # seconds: of mail for a step, of a webhook for the whole exchange
TALK = 60.0  # seconds for a message from the connection to the mail server's last word
ANSWER = 65_536  # bytes of a webhook's answer that are looked at
SHOWN = 200  # characters of it that are kept
ADDRESSES = re.compile(r"(?<!\S)\S[^\s@]*+@\S+")
HEADER = re.compile("[!-~]([ -~]*[!-~])?")
SIGNATURE = "Livereview-Signature"
SMTP_FORM = "the mail server must be like smtp://user:password@host:587?starttls=1 or smtps://user:password@host"


# Mail


class _Server(NamedTuple):
    host: str
    port: int
    user: str | None
    password: str
    tls: Literal["none", "start", "whole"]


def smtp(message: EmailMessage, url: str, timeout: float = TIMEOUT, talk: float = TALK) -> None:
    """Hand a message for one person to a mail server.

    `timeout` is for each step, `talk` for all, in seconds.

    Raises Retry where the server can't be reached or answers 4xx, Refused where it answers 5xx or
    the URL, the certificate or the message won't do. No error holds the password. After a Retry the
    server may have the message all the same (the connection broke before its last answer): send it
    again with the same Message-ID.

    Args:
        url: Smtp://user:password@host:587?starttls=1 or smtps://…, user and password
            percent-encoded. A password goes over TLS only, but for a server on this machine;
            certificates are checked.
    """
    server = _server(url)
    sender, recipient = _one(message, "From"), _one(message, "To")
    with time_limit(talk) as watchdog:
        try:
            _hand_over(message, server, sender, recipient, timeout)
            return
        except (
            smtplib.SMTPException,
            OSError,
            ValueError,
        ) as error:  # these may hold the password: they stay here
            problem = _problem(server, error)
    if watchdog.expired:
        problem = Retry(
            f"{server.host} port {server.port} took more than {talk:g} s for one message"
        )
    raise problem


def _hand_over(
    message: EmailMessage, server: _Server, sender: str, recipient: str, timeout: float
) -> None:
    connection = _connection(server, sender.rpartition("@")[2], timeout)
    try:
        if server.tls == "start":
            connection.starttls(context=ssl.create_default_context())
        if server.user is not None:
            connection.login(server.user, server.password)
        connection.send_message(message, sender, [recipient])
        # it has the message: nothing that follows may fail it
        with suppress(smtplib.SMTPException, OSError):
            connection.quit()
    finally:
        connection.close()


def _server(url: str) -> _Server:
    """Raises Refused without repeating any of the URL: the password is in it."""
    problem = Refused(SMTP_FORM)
    with suppress(ValueError):
        parts = urlsplit(url)
        tls, port = _tls(
            parts.scheme,
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)),
        )
        user = unquote(parts.username) if parts.username else None
        if (
            not parts.hostname
            or parts.path not in ("", "/")
            or parts.fragment
            or (parts.password and not user)
        ):
            raise problem
        if user is not None and tls == "none" and parts.hostname not in HERE:
            raise Refused(
                "a password is not sent in the clear: add ?starttls=1 to the mail server's URL or use smtps"
            )
        return _Server(parts.hostname, parts.port or port, user, unquote(parts.password or ""), tls)
    raise problem


def _tls(
    scheme: str, options: list[tuple[str, str]]
) -> tuple[Literal["none", "start", "whole"], int]:
    """How the connection is encrypted, and the usual port. ValueError for what is not known."""
    if scheme == "smtps" and not options:
        return "whole", SMTP_PORTS["smtps"]
    if scheme == "smtp" and options == [("starttls", "1")]:
        return "start", SUBMISSION
    if scheme == "smtp" and options in ([], [("starttls", "0")]):
        return "none", SMTP_PORTS["smtp"]
    raise ValueError


def _one(message: EmailMessage, header: str) -> str:
    """The one address in a header: a message to several would be sent again to all when one of them
    fails.
    """
    found = [
        address for _, address in getaddresses([str(one) for one in message.get_all(header, [])])
    ]
    if len(found) != 1 or "@" not in found[0] or message["Cc"] or message["Bcc"]:
        raise Refused(f"a message needs one address in {header}, and neither Cc nor Bcc")
    return found[0]


def _connection(server: _Server, name: str, timeout: float) -> smtplib.SMTP:
    """Open a connection.

    `name` is what this side calls itself: asking DNS for it takes long on some machines.
    """
    if server.tls == "whole":
        context = ssl.create_default_context()
        return WatchedSecureSMTP(server.host, server.port, name, timeout=timeout, context=context)
    return WatchedSMTP(server.host, server.port, name, timeout=timeout)


def _problem(server: _Server, error: Exception) -> LivereviewError:
    """What went wrong, in words and by who must act.

    In this order, as some of these kinds are kinds of others.
    """
    at = f"{server.host} port {server.port}"
    match error:
        case smtplib.SMTPRecipientsRefused():
            return _answered(server, *next(iter(error.recipients.values())))
        case smtplib.SMTPResponseException():
            return _answered(server, error.smtp_code, error.smtp_error)
        case ssl.SSLCertVerificationError():
            return Refused(
                f"the certificate of {server.host} is not to be trusted: {error.verify_message}"
            )
        case smtplib.SMTPNotSupportedError():
            return Refused(
                f"{server.host} lacks what the URL or the message needs: STARTTLS, a login or SMTPUTF8"
            )
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return Retry(f"{at} hung up or did not answer in time")
        case smtplib.SMTPException():
            return Refused(
                f"{server.host} offers no way to log in that is known here: CRAM-MD5, PLAIN, LOGIN"
            )
        case OSError():
            return Retry(f"{at} can't be reached ({type(error).__name__})")
    return Refused(
        f"the mail server's name, user or password can't be sent ({type(error).__name__}); use ASCII"
    )


def _answered(server: _Server, code: int, said: bytes | str) -> LivereviewError:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    for secret in _spellings(server):
        words = words.replace(secret, "[hidden]")
    words = ADDRESSES.sub("[address]", one_line(words))[:SHOWN]
    kind = Refused if 500 <= code < 600 else Retry
    return kind(f"{server.host} answered {code}: {words or 'no words'}")


def _spellings(server: _Server) -> list[str]:
    """The password as a server may repeat it: plain, percent-encoded, or as AUTH PLAIN and LOGIN
    send it.
    """
    if not server.password:
        return []
    plain = f"\0{server.user}\0{server.password}"
    packed = [
        b64encode(text.encode("utf-8", "replace")).decode() for text in (server.password, plain)
    ]
    return sorted(
        {server.password, quote(server.password, safe=""), *packed}, key=len, reverse=True
    )


# Webhooks


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one attempt: "ok" for 2xx, "gone" for 410 (stop sending there), "retry" for
    all else.

    Attributes:
        status: Of the answer, None where none came.
        seconds: How long the attempt took.
        error: In a sentence without the address, which may hold a secret; None where it went well.
    """

    status: int | None
    seconds: float
    outcome: Literal["ok", "retry", "gone"]
    error: str | None


def guarded(
    resolve: Resolve = look_up, permitted: Collection[tuple[str, int]] = ()
) -> requests.Session:
    """A session that connects to public addresses only, or to `permitted` pairs of address and
    port.

    It heeds neither proxies nor .netrc of the environment: a proxy would do the connecting
    unchecked.
    """
    session = requests.Session()
    session.trust_env = False
    adapter = Guarded(resolve, permitted)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def webhook(
    url: str,
    body: bytes,
    secret: bytes,
    session: requests.Session,
    now: datetime,
    headers: Mapping[str, str],
    timeout: float = TIMEOUT,
) -> Delivery:
    """POST a signed body once, in `timeout` seconds.

    A redirect is not followed, and counts as a failure.

    The session's adapter is asked directly, as `session.post` reads all of a redirect's body even
    where it does not follow it. `now` is signed (see `message.verified`); `headers` come on top,
    such as the name of the event. Raises Refused for an address that is none, a header that can't
    be sent, and an empty secret.
    """
    prepared = _prepared(
        url, body, signature(secret, str(int(aware(now).timestamp())), body), headers
    )
    started = time.monotonic()
    status, error = _asked(prepared, session, timeout)
    seconds = time.monotonic() - started
    if status is not None and 200 <= status < 300:
        return Delivery(status, seconds, "ok", None)
    return Delivery(status, seconds, "gone" if status == 410 else "retry", error)


def _prepared(
    url: str, body: bytes, signed: str, headers: Mapping[str, str]
) -> requests.PreparedRequest:
    named = CaseInsensitiveDict({"Content-Type": "application/json", **headers})
    agent = f"livereview/{version('livereview')}"
    named.update({"User-Agent": agent, "Accept-Encoding": "identity", SIGNATURE: signed})
    sendable = all(HEADER.fullmatch(value) for value in headers.values())
    # requests' errors for addresses and headers are ValueErrors that repeat them
    with suppress(ValueError):
        parts = urlsplit(url)
        if (
            sendable
            and parts.scheme in ("http", "https")
            and parts.hostname
            and "@" not in parts.netloc
        ):
            return requests.Request("POST", url, data=body, headers=named).prepare()
    raise Refused(
        "a webhook needs an address like https://host/path without a user name, and headers of ASCII"
    )


def _asked(
    request: requests.PreparedRequest, session: requests.Session, timeout: float
) -> tuple[int | None, str | None]:
    """The status of the answer, None where none came, and what there is to say unless it is 2xx."""
    with time_limit(timeout) as watchdog:
        status, error = _exchange(request, session, timeout)
    if status is None and watchdog.expired:
        return None, _too_late(timeout)
    return status, error


def _exchange(
    request: requests.PreparedRequest, session: requests.Session, timeout: float
) -> tuple[int | None, str | None]:
    until = time.monotonic() + timeout
    try:
        adapter = session.get_adapter(str(request.url))
        with adapter.send(request, stream=True, timeout=(timeout, timeout)) as response:
            status = response.status_code
            return status, None if 200 <= status < 300 else _said(response, until)
    except Retry as error:
        return None, error.message
    except LivereviewError:
        return None, "the address does not lead to a public host at port 80 or 443"
    except requests.Timeout:
        return None, _too_late(timeout)
    except (requests.RequestException, HTTPError, OSError) as error:
        return None, _wire(error)


def _too_late(timeout: float) -> str:
    return f"no answer within {timeout:g} s"


def _said(response: requests.Response, until: float) -> str:
    if 300 <= response.status_code < 400:
        return f"the receiver answered {response.status_code}, a redirect: give the address that it leads to"
    words = one_line(_answer(response, until).decode("utf-8", "replace"), SHOWN)
    return f"the receiver answered {response.status_code}: {words or 'no words'}"


def _answer(response: requests.Response, until: float) -> bytes:
    """What came of the answer, at most 64 kB and until the time is up, not unpacked."""
    body = b""
    with suppress(requests.RequestException, HTTPError, OSError):
        while len(body) < ANSWER and time.monotonic() < until:
            if not (piece := response.raw.read1(ANSWER - len(body), decode_content=False)):
                break
            body += piece
    return body


def _wire(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the receiver's certificate is not to be trusted"
    framing = malformed(error)
    if framing is not None:
        return f"the receiver's answer is broken: {framing}"
    return f"no answer came ({type(error).__name__})"
