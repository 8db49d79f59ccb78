"""How a notice is put on the wire: a mail that no title can add a header to, and a signature that
receivers check.

The subject is encoded here, not by the standard library's header classes. These decode an encoded
word that somebody wrote into a title and then send what was in it, line ends too (CVE-2024-6923,
seen with Python 3.11.7); and they lose a space between two words that need encoding.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from hashlib import sha256
from typing import Any

from livereview.errors import Refused
from livereview.notices.digest import Digest, one_line

MAILBOX = re.compile(
    r"(?:(?P<name>[^<>@]*)<)?(?P<address>[^\s@<>,;:\"()\[\]\\=]{1,64}@[^\s@<>,;:\"()\[\]\\=]{1,189})>?"
)
# RFC 5322, section 3.6.4, without quotes
MESSAGE_ID = re.compile(r"<[!#-'*-;=?A-Z^-~]+@[!#-'*-;=?A-Z^-~]+>")
LINK = re.compile(r"(https?://|mailto:)[!#-;=?-\[\]_a-z~]+")
SIGNED = re.compile(r"[0-9]{1,12}")
TOLERANCE = 300  # seconds


class _Exact(BaseHeader):
    """A header whose value is taken as it is: nothing in it is decoded."""

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["decoded"] = value
        kwds["parse_tree"] = None


class _Words(_Exact):
    """Words in any language, as encoded words (RFC 2047) where they are not ASCII or look like one."""

    def fold(self, *, policy: Policy) -> str:
        words = str(self)
        charset = "us-ascii" if words.isascii() and "=?" not in words else "utf-8"
        folded = Header(words, charset, header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {folded}{policy.linesep}"


class _Whole(_Exact):
    """An address, never folded and never encoded: clients look for it as it is."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> Policy:
    headers = HeaderRegistry()
    headers.map_to_type("subject", _Words)
    headers.map_to_type("list-unsubscribe", _Whole)
    return SMTP.clone(header_factory=headers)


def email(
    digest: Digest,
    sender: str,
    recipient: str,
    message_id: str,
    date: datetime,
    unsubscribe: str | None = None,
) -> EmailMessage:
    """The digest as a mail to one person; the same arguments give the same bytes.

    Automatic answers are asked not to come (RFC 3834). Raises Refused for any of these that is not
    as said.

    Args:
        sender, recipient: Name@example.org or Ada Doe <name@example.org>.
        message_id: With its angle brackets; the same for each attempt, so that mail servers see
            what they have.
        date: With a time zone.
        unsubscribe: http(s) or mailto address where the person ends these mails (RFC 2369).
    """
    message = EmailMessage(_policy())
    message["From"], message["To"] = _mailbox(sender), _mailbox(recipient)
    message["Subject"] = one_line(digest.subject)
    message["Date"] = aware(date)
    message["Message-ID"] = _checked(
        MESSAGE_ID, message_id, "a message id must be like <word@example.org>"
    )
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe is not None:
        link = _checked(
            LINK,
            unsubscribe,
            "the address to unsubscribe at must start with https://, http:// or mailto:",
        )
        message["List-Unsubscribe"] = f"<{link}>"
    # not every mail server takes eight bits
    message.set_content(digest.text, cte="quoted-printable")
    message.add_alternative(digest.html, subtype="html", cte="quoted-printable")
    # "=_" is not in quoted-printable
    message.set_boundary(f"=_{sha256(message_id.encode()).hexdigest()[:40]}")
    return message


def _mailbox(text: str) -> Address:
    match = MAILBOX.fullmatch(text) if text == one_line(text) else None
    if match and (match["name"] is not None) == text.endswith(">"):
        name = (match["name"] or "").strip().strip('"').replace("=?", "= ?")
        try:
            return Address(name, addr_spec=match["address"])
        except (ValueError, HeaderParseError, IndexError):
            pass
    raise Refused(
        "a mail address must be like name@example.org or Ada Doe <name@example.org>, and only one"
    )


def _checked(pattern: re.Pattern[str], text: str, rule: str) -> str:
    if (
        not pattern.fullmatch(text) or len(text) > 900
    ):  # a line of a mail has at most 998 characters
        raise Refused(rule)
    return text


def aware(moment: datetime) -> datetime:
    """The same moment; Refused where it has no time zone, for then it could be any of many."""
    if moment.utcoffset() is None:
        raise Refused("a moment must have a time zone, such as datetime.now(UTC)")
    return moment


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """ "t=1770000000,v1=" and the hexadecimal HMAC-SHA256 (RFC 2104) of timestamp, full stop and
    body.

    Args:
        timestamp: Whole seconds since 1970 UTC.
        secret: Any bytes but none at all.

    Raises:
        Refused: where they are not so.
    """
    if not secret:
        raise Refused("a webhook needs a secret: without one anybody could sign")
    if not SIGNED.fullmatch(timestamp):
        raise Refused("the timestamp of a signature must be whole seconds since 1970")
    return f"t={timestamp},v1={_mac(secret, timestamp, body)}"


def verified(
    secret: bytes, header: str, body: bytes, now: datetime, tolerance: int = TOLERANCE
) -> bool:
    """Whether a body was signed with this secret at most `tolerance` seconds before or after `now`.

    Any one of several v1 will do, so that a sender can change secrets. `now` has a time zone.
    Raises Refused for an empty secret.
    """
    if not secret:
        raise Refused("a webhook needs a secret: without one anybody could sign")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1 or not SIGNED.fullmatch(times[0]):
        return False
    if abs(aware(now).timestamp() - int(times[0])) > tolerance:
        return False
    right = _mac(secret, times[0], body).encode()
    given = [value.encode("utf-8", "replace") for name, _, value in pairs if name == "v1"]
    return any(hmac.compare_digest(right, one) for one in given)


def _mac(secret: bytes, timestamp: str, body: bytes) -> str:
    return hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()
