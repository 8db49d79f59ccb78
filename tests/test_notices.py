"""What people and programs are told, and how it reaches a mail server and a webhook, both on this
machine.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import LivereviewError, Refused, Retry
from livereview.notices.backoff import schedule
from livereview.notices.digest import Digest, Night, SearchLine, Waiting, digest, one_line
from livereview.notices.message import email, signature, verified
from livereview.notices.post import try_out
from livereview.notices.send import SIGNATURE, guarded, smtp, webhook
from livereview.settings import read, told
from tests.world import World, chunked, dropped, endless, hang_up, head, redirect, reply

BASE = "https://reviews.example.org"
NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
NOTHING = Waiting("sos", "Signs of Safety", 0, 0, 0, 0, 0)
SIX = tuple(SearchLine(f"search {n}", "ok", 40, 0, None) for n in range(6))
QUIET = Night("sos", "Signs of Safety", SIX, (), None, ())
BAD = replace(
    SIX[0], name="OpenAlex", outcome="failed", found=0, error="OpenAlex answered 503:\n'busy'"
)
HALF = replace(SIX[1], name="PubMed", outcome="partial", error="page 3 did not come")
FAILED = replace(QUIET, searches=(*SIX[2:], BAD, HALF))
PASSWORD = "s3cret/pass word"
anything = st.text(st.characters(), max_size=120)
INJECTIONS = [
    "Signs\r\nBcc: eve@evil.test",
    "=?utf-8?q?x=0d=0aBcc:_eve@evil.test?=",
    "a\x85Bcc: e@f\u2028b",
    "a\x0bb\x1cc\n",
]


def made(*waiting: Waiting, nights: tuple[Night, ...] = (), always: bool = False) -> Digest:
    told = digest("ada", waiting, nights, BASE, always)
    assert told is not None
    return told


class Shown(HTMLParser):
    """The words, links and names of elements and attributes of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.words, self.links, self.names = "", list[str | None](), set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *dict(attrs)}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"


# Digests


@pytest.mark.parametrize(
    ("waiting", "nights", "subject"),
    [
        ([replace(NOTHING, screening=12)], [], "12 records wait for you in Signs of Safety"),
        ([replace(NOTHING, screening=1)], [], "1 record waits for you in Signs of Safety"),
        ([replace(NOTHING, conflicts=1200)], [], "1,200 conflicts wait for you in Signs of Safety"),
        ([replace(NOTHING, duplicates=2)], [], "2 doubtful pairs wait for you in Signs of Safety"),
        ([replace(NOTHING, screening=2, full_text=1)], [], "3 tasks wait for you in Signs of Safety"),
        ([replace(NOTHING, full_text=2), replace(NOTHING, review="b", full_text=5)], [],
         "7 full texts wait for you in 2 reviews"),
        ([replace(NOTHING, screening=12)], [FAILED], "Night failed: 2 of 6 searches - Signs of Safety"),
        ([], [replace(QUIET, searches=(BAD,)), replace(FAILED, review="b")],
         "Night failed: 3 of 7 searches - 2 reviews"),
        ([], [replace(QUIET, searches=(BAD,))], "Night failed: 1 of 1 search - Signs of Safety"),
        ([replace(NOTHING, screening=12)], [replace(QUIET, alarms=("stale",))], "1 alarm - Signs of Safety"),
        ([], [replace(QUIET, sign_offs=("version 4",))], "1 version waits for your sign-off in Signs of Safety"),
        ([], [replace(QUIET, published="version 4")], "Published: version 4 - Signs of Safety"),
        ([], [replace(QUIET, searches=(replace(SIX[0], fresh=31),))], "31 new records - Signs of Safety"),
    ],
)  # fmt: skip
def test_the_subject_says_the_most_urgent_thing(
    waiting: list[Waiting], nights: list[Night], subject: str
) -> None:
    assert made(*waiting, nights=tuple(nights)).subject == subject


def test_there_is_no_digest_where_nothing_waits_and_nothing_happened() -> None:
    assert digest("ada", [], [], BASE) is None
    assert digest("ada", [NOTHING], [QUIET], BASE) is None
    told = made(NOTHING, nights=(QUIET,), always=True)
    assert told.subject == "Nothing waits for you"
    assert "6 searches ran; 0 new records." in told.text
    empty = made(always=True)
    assert "Nothing waits for you, and nothing happened." in empty.text
    assert "Nothing waits for you, and nothing happened." in Shown(empty.html).words


def test_a_reviewers_digest_says_the_numbers_given_and_nothing_else() -> None:
    told = made(replace(NOTHING, screening=9))
    assert told.text == (
        "Hello ada,\n\nSigns of Safety\n---------------\n\nWhat waits for you:\n"
        f"- 9 records to screen by title and abstract\n  {BASE}/r/sos/screen/title_abstract\n\n"
        f"This message was sent by livereview:\n{BASE}/\n"
    )
    for word in ("conflict", "include", "exclude", "disagree", "settle"):
        assert word not in told.text + told.html


def test_a_night_tells_failures_first_and_why() -> None:
    night = replace(
        FAILED,
        alarms=("PubMed is stale",),
        published="version 4",
        sign_offs=("version 5: reversed",),
    )
    text = made(
        replace(NOTHING, conflicts=2), nights=(replace(night, review="b", title="B"), night)
    ).text
    assert (
        "2 of 6 searches failed; 0 new records.\n- OpenAlex: failed. OpenAlex answered 503: 'busy'\n"
        in text
    )
    assert (
        "- PubMed: partly failed, 40 found, 0 new. page 3 did not come\n- search 2: worked, 40 found, 0 new\n"
        in text
    )
    assert (
        "Alarms:\n- PubMed is stale\n\nWaiting for your sign-off:\n- version 5: reversed\n" in text
    )
    assert "Published: version 4." in text
    assert text.index("failed") < text.index("2 conflicts to settle")
    good = made(replace(NOTHING, conflicts=2), nights=(replace(QUIET, published="version 4"),)).text
    assert good.index("2 conflicts to settle") < good.index("Published")


def test_a_search_with_an_unknown_end_counts_as_failed() -> None:
    odd = made(nights=(replace(QUIET, searches=(replace(SIX[0], outcome="never ended"),)),))
    assert odd.subject == "Night failed: 1 of 1 search - Signs of Safety"
    assert "- search 0: never ended, 40 found, 0 new" in odd.text


def test_text_and_html_say_the_same_and_link_alike() -> None:
    told = made(Waiting("sos", "S", 1, 3, 4, 5, 6), nights=(FAILED,))
    page = Shown(told.html)
    assert set(page.links) == {
        line.strip() for line in told.text.splitlines() if line.strip().startswith(BASE)
    }
    for line in told.text.splitlines():
        if line.startswith("- "):
            assert line[2:] in page.words
    assert not page.names & {"style", "class", "bgcolor", "color", "script", "img", "font"}
    assert 'content="light dark"' in told.html


@given(anything, anything, anything, st.sampled_from([FAILED, QUIET]))
def test_whatever_a_title_holds_the_text_is_78_columns_wide_and_the_page_escaped(
    name: str, title: str, error: str, night: Night
) -> None:
    title = f"{title}<img src=x onerror=alert(1)>&\"'"
    told = digest(
        name,
        [replace(NOTHING, title=title, screening=3)],
        [
            replace(
                night,
                title=title,
                alarms=(error,),
                searches=(replace(BAD, name=title, error=error),),
            )
        ],
        BASE,
    )
    assert told
    assert "<img" not in told.html and "\n" not in told.subject
    for line in told.text.split("\n"):
        assert (
            sum(
                2 if unicodedata.east_asian_width(c) in "WF" else 1
                for c in line
                if not unicodedata.combining(c)
            )
            <= 78
        )
        assert line.isprintable() or not any(
            unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in line
        )
    assert (
        "".join(one_line(error).split()) in "".join(told.text.split()) or len(one_line(error)) > 300
    )
    told.text.encode(), told.html.encode()


@pytest.mark.parametrize(("letter", "room"), [("x", 78), ("字", 39), ("e\u0301", 78)])
def test_a_word_longer_than_a_line_is_broken_by_columns(letter: str, room: int) -> None:
    lines = made(replace(NOTHING, title=letter * 100, screening=1)).text.split("\n")
    assert lines[2:5] == [
        letter * room,
        letter * min(room, 100 - room),
        letter * (100 - 2 * room) or "-" * 78,
    ]


def test_long_titles_are_whole_in_the_text_and_short_in_the_subject() -> None:
    told = made(replace(NOTHING, title="word " * 60, screening=1))
    assert told.subject.startswith("1 record waits for you in word word") and told.subject.endswith(
        "word…"
    )
    assert len(told.subject) <= 106 and told.text.count("word") == 60


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "", "https://", "https://a b/", "https://u:p@h/", "https://h/?a", "http://[", "https://h/\nx",
     'https://h/"'],
)  # fmt: skip
def test_the_address_of_the_app_is_checked(url: str) -> None:
    with pytest.raises(Refused, match="like https://"):
        digest("ada", [replace(NOTHING, screening=1)], [], url)


def test_counts_below_nought_are_refused() -> None:
    with pytest.raises(Refused, match="from 0 up"):
        replace(NOTHING, screening=5, conflicts=-1)


# Mail


def mail(
    subject: str = "12 records wait", recipient: str = "ada@example.org", **more: Any
) -> EmailMessage:
    told = Digest(subject, "Hello,\n.\n12 records: wörds\n", "<p>12 records: wörds</p>")
    return email(
        told, "livereview <robot@example.org>", recipient, "<one@example.org>", NOW, **more
    )


def parsed(message: EmailMessage) -> EmailMessage:
    read = message_from_bytes(message.as_bytes(), policy=default)  # what a mail client sees
    assert isinstance(read, EmailMessage)
    return read


def test_a_mail_says_who_when_and_that_no_person_wrote_it() -> None:
    link = f"{BASE}/unsubscribe/{'k' * 100}"
    read = parsed(mail(unsubscribe=link))
    assert read.get_content_type() == "multipart/alternative"
    text, page = read.iter_parts()
    assert text.get_content().splitlines() == ["Hello,", ".", "12 records: wörds"]
    assert (
        page.get_content_type() == "text/html"
        and page.get_content().strip() == "<p>12 records: wörds</p>"
    )
    assert read["Auto-Submitted"] == "auto-generated" and read["Message-ID"] == "<one@example.org>"
    assert read["Date"].datetime == NOW
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in mail(unsubscribe=link).as_bytes()
    assert "List-Unsubscribe" not in parsed(mail())
    assert mail().as_bytes() == mail().as_bytes() and mail().as_bytes().isascii()


@given(st.one_of(anything, st.builds("{}{}".format, st.sampled_from(INJECTIONS), anything)))
def test_no_title_can_add_a_header_and_the_subject_arrives_as_it_was(title: str) -> None:
    subject = made(replace(NOTHING, title=title, screening=2)).subject
    message = mail(subject)
    read = parsed(message)
    assert read["Subject"] == subject
    assert read.keys() == [
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type"),
    ]
    assert max(map(len, message.as_bytes().split(b"\r\n"))) <= 78 or subject.isascii()


@pytest.mark.parametrize("title", INJECTIONS)
def test_no_mail_goes_astray_whoever_made_the_digest_or_the_name(title: str) -> None:
    assert parsed(mail(title))["Bcc"] is None
    with pytest.raises(Refused, match="only one"):
        mail(recipient=f"{title} <ada@example.org>, eve@evil.test")


def test_names_of_people_are_encoded_and_can_not_hide_a_header() -> None:
    assert (
        parsed(mail(recipient="Zoë, Ödegård <zoe@example.org>"))["To"].addresses[0].display_name
        == "Zoë, Ödegård"
    )
    sly = parsed(mail(recipient="=?utf-8?q?x=0d=0aBcc:_eve?= <ada@example.org>"))
    assert sly["Bcc"] is None and [one.addr_spec for one in sly["To"].addresses] == [
        "ada@example.org"
    ]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "a@b, c@d",
        "a@b>",
        "<a@b",
        "a..b@x.org",
        "a@b\nBcc: c@d",
        "X Y a@b",
        "ü@b.org",
        "a@b@c",
        "a;b@c",
        "a@",
    ],
)
def test_only_one_plain_address_is_written_to(address: str) -> None:
    with pytest.raises(Refused, match="mail address"):
        mail(recipient=address)


def test_ids_dates_and_links_are_checked() -> None:
    told = Digest("s", "t", "h")
    for message_id in (
        "one@example.org",
        "<one>",
        "<a@b>\n",
        "<a b@c>",
        "<=?utf-8?q?=0a?=@c\u2028>",
        f"<{'a' * 900}@b>",
    ):
        with pytest.raises(Refused, match="message id"):
            email(told, "a@b.org", "c@d.org", message_id, NOW)
    for link in ("javascript:x", "https://a>b", "https://a\r\nBcc: x@y", "/leave"):
        with pytest.raises(Refused, match="unsubscribe"):
            mail(unsubscribe=link)
    with pytest.raises(Refused, match="time zone"):
        email(told, "a@b.org", "c@d.org", "<a@b>", NOW.replace(tzinfo=None))


# A mail server


@dataclass
class Post:
    """A mail server: `says` has its answer to a command where that is not the usual one.

    None: it hangs up.
    """

    says: dict[str, str | None] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    whole: bool = False
    heard: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    def url(
        self, user: str = "", host: str = "127.0.0.1", scheme: str = "smtp", query: str = ""
    ) -> str:
        return f"{scheme}://{user}{host}:{self.port}{query}"


USUAL = {"EHLO": "250 post.test", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 queued",
         "QUIT": "221 bye", "RSET": "250 ok", "AUTH": "235 welcome", "STARTTLS": "220 go on"}  # fmt: skip


class Talk(socketserver.StreamRequestHandler):
    def setup(self) -> None:
        self.post: Post = self.server.post  # type: ignore[attr-defined]
        if self.post.whole and self.post.tls:
            self.request = self.post.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        going = self.say("HI", "220 post.test")
        while going and (line := self.rfile.readline().decode().rstrip("\r\n")):
            self.post.heard.append(line)
            verb = line.split()[0].upper()
            usual = USUAL.get(verb, "502 what?")
            if verb == "EHLO" and self.post.offers:
                usual = "\r\n".join(
                    ["250-post.test", *(f"250-{one}" for one in self.post.offers), "250 HELP"]
                )
            going = self.say(verb, usual) and verb != "QUIT"
            if verb == "STARTTLS" and self.post.tls:
                super().finish()
                self.request = self.post.tls.wrap_socket(self.request, server_side=True)
                super().setup()
            elif verb == "DATA" and self.post.says.get("DATA", "354")[:3] == "354":  # type: ignore[index]
                self.post.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                going = self.say(".", USUAL["."])

    def say(self, verb: str, usual: str) -> bool:
        answer = self.post.says.get(verb, usual)
        if answer is not None:
            self.wfile.write(f"{answer}\r\n".encode())
        return answer is not None

    def finish(self) -> None:
        super().finish()
        self.request.close()


class Office(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """A client that refuses the certificate is no news."""


@pytest.fixture
def office() -> Iterator[Callable[..., Post]]:
    """office(says={"RCPT": "451 later"}) is a mail server that runs until the test ends."""
    running: list[Office] = []

    def opened(**settings: Any) -> Post:
        server = Office(("127.0.0.1", 0), Talk)
        server.post = Post(**settings, port=server.server_address[1])  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return server.post  # type: ignore[attr-defined, no-any-return]

    yield opened
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS for the name localhost, with a certificate that this process trusts."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the test's certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    extra = [
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return context


def test_a_mail_arrives_whole(office: Callable[..., Post]) -> None:
    post, message = office(), mail("Zwölf")
    smtp(message, post.url())
    assert [line.split(" size")[0] for line in post.heard] == [
        *(
            "ehlo example.org",
            "mail FROM:<robot@example.org>",
            "rcpt TO:<ada@example.org>",
            "data",
            "quit",
        )
    ]
    assert post.mails[0].replace(b"\r\n..\r\n", b"\r\n.\r\n") == message.as_bytes()


@pytest.mark.parametrize("step", ["HI", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("code", "kind"), [("451", Retry), ("421", Retry), ("550", Refused), ("554", Refused)]
)
def test_4xx_is_tried_again_and_5xx_is_not(
    office: Callable[..., Post], step: str, code: str, kind: type[LivereviewError]
) -> None:
    post = office(says={step: f"{code} no room for <ada@example.org>"})
    with pytest.raises(
        kind, match=rf"127\.0\.0\.1 answered {code}: no room for \[address\]"
    ) as told:
        smtp(mail(), post.url())
    assert type(told.value) is kind


@pytest.mark.parametrize("answer", [None, "421 closing", "500 what", "nonsense"])
def test_what_follows_the_delivery_can_not_undo_it(
    office: Callable[..., Post], answer: str | None
) -> None:
    post = office(says={"QUIT": answer})
    smtp(mail(), post.url())
    assert len(post.mails) == 1


@pytest.mark.parametrize("step", ["HI", "EHLO", "MAIL", "."])
def test_a_server_that_hangs_up_is_asked_again(office: Callable[..., Post], step: str) -> None:
    with pytest.raises(Retry, match="hung up"):
        smtp(mail(), office(says={step: None}).url())


def test_a_server_that_is_not_there_or_says_nothing_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Retry, match="did not answer in time"):
            smtp(mail(), f"smtp://127.0.0.1:{port}", timeout=0.2)
    with pytest.raises(Retry, match=rf"127\.0\.0\.1 port {port} can't be reached"):
        smtp(mail(), f"smtp://127.0.0.1:{port}")


USER = f"robot%40example.org:{quote(PASSWORD, safe='')}@"


@pytest.mark.parametrize(("scheme", "query"), [("smtp", "?starttls=1"), ("smtps", "")])
def test_a_password_goes_over_tls(
    office: Callable[..., Post], tls: ssl.SSLContext, scheme: str, query: str
) -> None:
    post = office(tls=tls, whole=scheme == "smtps", offers=("STARTTLS", "AUTH PLAIN"))
    smtp(mail(), post.url(USER, "localhost", scheme, query))
    word = next(line for line in post.heard if line.startswith("AUTH")).split()[2]
    assert base64.b64decode(word).decode() == f"\0robot@example.org\0{PASSWORD}"
    assert len(post.mails) == 1
    assert ("STARTTLS" in post.heard) == (scheme == "smtp")


@pytest.mark.parametrize(("scheme", "query"), [("smtp", "?starttls=1"), ("smtps", "")])
def test_a_certificate_of_another_name_is_refused(
    office: Callable[..., Post], tls: ssl.SSLContext, scheme: str, query: str
) -> None:
    post = office(tls=tls, whole=scheme == "smtps", offers=("STARTTLS", "AUTH PLAIN"))
    with pytest.raises(Refused, match="certificate"):
        smtp(mail(), post.url(USER, "127.0.0.1", scheme, query))
    assert not [line for line in post.heard if line.startswith("AUTH")]


def test_no_mail_goes_in_the_clear_where_tls_was_asked_for(office: Callable[..., Post]) -> None:
    post = office(offers=("AUTH PLAIN",))
    with pytest.raises(Refused, match="STARTTLS"):
        smtp(mail(), post.url(USER, query="?starttls=1"))
    assert not post.mails and len(post.heard) == 1


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


PACKED = base64.b64encode(f"\0robot@example.org\0{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    ("user", "settings"),
    [
        (
            USER,
            {
                "says": {"AUTH": f"535 wrong: {PASSWORD} {quote(PASSWORD, safe='')} {PACKED}"},
                "offers": ("AUTH PLAIN",),
            },
        ),
        (USER, {"says": {"AUTH": "454 later"}, "offers": ("AUTH PLAIN",)}),
        (USER, {"says": {"RCPT": f"550 {PASSWORD}"}, "offers": ("AUTH LOGIN", "AUTH PLAIN")}),
        (USER, {"offers": ("AUTH NTLM",)}),
        (USER, {}),
        (f"robot:{quote(PASSWORD + 'ü', safe='')}@", {"offers": ("AUTH PLAIN",)}),
    ],
)
def test_no_error_holds_the_password(
    office: Callable[..., Post], user: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(LivereviewError) as told:
        smtp(mail(), office(**settings).url(user))
    assert isinstance(told.value, Retry) == ("454" in str(settings))
    everything = " ".join(f"{one} {vars(one)}" for one in chain(told.value))
    assert "s3cret" not in everything and PACKED not in everything
    assert [type(one) for one in chain(told.value)] == [type(told.value)]


@pytest.mark.parametrize(
    "url",
    ["", "mail.test", "http://u:s3cret@h", "smtp://", "smtp://u:s3cret@", "smtp://u:s3cret@h:port", "smtp://u:s3cret@h:99999",
     "smtp://u:a#s3cret@h", "smtp://u:a/s3cret@h", "smtp://u:a?s3cret@h", "smtp://u:s3[cret@h", "smtp://:s3cret@localhost",
     "smtp://h?tls=s3cret", "smtp://h?starttls=yes", "smtps://u:s3cret@h?starttls=1", "smtp://u:s3cret@mail.test:587",
     "smtp://u:s3cret@mail.test?starttls=0"],
)  # fmt: skip
def test_a_wrong_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Refused, match="mail server") as told:
        smtp(mail(), url)
    assert "s3cret" not in " ".join(f"{one} {vars(one)}" for one in chain(told.value))


def test_one_message_goes_to_one_person() -> None:
    message = mail()
    message["Cc"] = "eve@example.org"
    with pytest.raises(Refused, match="one address in"):
        smtp(message, "smtp://127.0.0.1:1")


# Signatures


def test_a_signature_is_the_known_one() -> None:
    # echo -n '1770000000.{}' | openssl dgst -sha256 -hmac key
    known = "7a88a10412aaf2f7c314d1c3beeedc802d6b98bde9b5ce233ecd25d236af9a19"
    assert signature(b"key", "1770000000", b"{}") == f"t=1770000000,v1={known}"


STAMP = str(int(NOW.timestamp()))
SIGNED = signature(b"key", STAMP, b"{}")


@pytest.mark.parametrize(
    ("seconds", "fine"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_signature_is_good_for_five_minutes(seconds: int, fine: bool) -> None:
    assert verified(b"key", SIGNED, b"{}", NOW + timedelta(seconds=seconds)) is fine


@given(st.binary(min_size=1), st.binary(), st.binary(), st.binary(min_size=1))
def test_only_the_same_body_and_secret_pass(
    secret: bytes, body: bytes, other: bytes, guess: bytes
) -> None:
    header = signature(secret, STAMP, body)
    assert verified(secret, header, body, NOW)
    assert verified(secret, header, other, NOW) == (body == other)
    if guess.rstrip(b"\0") != secret.rstrip(b"\0"):  # HMAC fills short keys up with zeros
        assert not verified(guess, header, body, NOW)


@pytest.mark.parametrize(
    "header",
    ["", "t=,v1=", STAMP, SIGNED.split(",")[0], SIGNED.split(",")[1], SIGNED[:-1], SIGNED.replace("v1", "v0"),
     f"t={STAMP},v1=ü", f"t=1{STAMP},{SIGNED}", f"t={'9' * 5000},v1=a", f"t=-{STAMP},v1=a",
     SIGNED.replace("t=1", "t=１"),
     f"t={STAMP},v1=\ud800"],
)  # fmt: skip
def test_a_header_of_another_form_does_not_pass(header: str) -> None:
    assert verified(b"key", header, b"{}", NOW) is False


def test_secrets_can_be_changed_and_must_be_there() -> None:
    assert verified(b"key", f"{signature(b'old', STAMP, b'{}')},{SIGNED.split(',')[1]}", b"{}", NOW)
    for attempt in (lambda: signature(b"", STAMP, b""), lambda: verified(b"", SIGNED, b"{}", NOW)):
        with pytest.raises(Refused, match="secret"):
            attempt()
    for stamp in ("", "now", "1.5", "１", "1\n"):
        with pytest.raises(Refused, match="whole seconds"):
            signature(b"key", stamp, b"")


# Webhooks


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


def hook(world: World, url: str, **more: Any) -> Any:
    with guarded(permitted={world.endpoint}) as session:
        return webhook(
            url, b'{"event": "night"}', b"key", session, NOW, {"Livereview-Event": "night", **more}
        )


def test_an_event_arrives_signed(world: World) -> None:
    url = world.script("/hook", reply(b"thanks"))
    done = hook(world, url + "?key=k")
    assert (done.status, done.outcome, done.error) == (200, "ok", None) and 0 < done.seconds < 5
    seen = world.seen[0]
    assert (seen.method, seen.query, seen.headers["livereview-event"]) == (
        "POST",
        {"key": "k"},
        "night",
    )
    assert seen.headers["content-type"] == "application/json"
    assert verified(b"key", seen.headers[SIGNATURE.lower()], b'{"event": "night"}', NOW)


def test_a_test_event_is_signed_and_says_what_the_receiver_answers(world: World) -> None:
    url = world.script("/try", reply(b"thanks"))
    done = try_out(url, "key", NOW, permitted={world.endpoint})
    assert (done.status, done.outcome) == (200, "ok")
    body = json.dumps({"event": "test", "date": "%s", "message": "This is a test."})
    seen = world.seen[0]
    assert seen.headers["x-livereview-event"] == "test"
    sent = (body % f"{NOW:%Y-%m-%dT%H:%M:%SZ}").encode()
    assert verified(b"key", seen.headers[SIGNATURE.lower()], sent, NOW)
    refused = try_out(url, "key", NOW)  # nobody named this machine
    assert refused.outcome == "retry" and "public host" in (refused.error or "")


def test_machines_inside_the_network_are_named_by_address_and_port() -> None:
    def hosts(text: str) -> frozenset[tuple[str, int]]:
        return read({"LIVEREVIEW_WEBHOOK_HOSTS": text}).webhook_hosts

    assert hosts("") == frozenset()
    named = "10.1.2.3:8443, [fd00:0::5]:443"
    assert hosts(named) == {("10.1.2.3", 8443), ("fd00::5", 443)}
    said = told(read({"LIVEREVIEW_WEBHOOK_HOSTS": named}))["values"]
    assert said == {**said, "LIVEREVIEW_WEBHOOK_HOSTS": "10.1.2.3:8443, [fd00::5]:443"}  # type: ignore[dict-item]
    for wrong in ("10.1.2.3", "intranet:443", "10.1.2.3:0", "10.1.2.3:99999", "10.1.2.999:1"):
        with pytest.raises(Refused, match="addresses with their ports"):
            hosts(wrong)
    for secret in ("169.254.169.254:80", "[fe80::1]:80"):
        with pytest.raises(Refused, match="clouds keep secrets"):
            hosts(secret)


def test_nobody_else_can_set_the_signature(world: World) -> None:
    hook(
        world,
        world.script("/hook", reply()),
        **{"livereview-signature": "t=1,v1=x", "content-type": "text/plain"},
    )
    assert world.seen[0].headers["livereview-signature"].startswith(f"t={STAMP},v1=")
    assert world.seen[0].headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("answer", "status", "outcome", "error"),
    [
        (reply(b"", 204), 204, "ok", None),
        (endless(), 200, "ok", None),
        (reply(b"no more", 410), 410, "gone", "the receiver answered 410: no more"),
        (reply(b"", 404), 404, "retry", "the receiver answered 404: no words"),
        (reply(b"a\x00b\nc" + b"d" * 999, 500), 500, "retry", "the receiver answered 500: a b c" + "d" * 194 + "…"),
        (chunked(b"busy"), 200, "ok", None),
        (reply(b"busy", 503), 503, "retry", "the receiver answered 503: busy"),
        (redirect("http://127.0.0.1:1/secret"), 302, "retry",
         "the receiver answered 302, a redirect: give the address that it leads to"),
        (hang_up(), None, "retry", "no answer came (ConnectionError)"),
        (dropped(b"half of it"), 200, "ok", None),
    ],
)  # fmt: skip
def test_the_status_decides(
    world: World, answer: Any, status: int | None, outcome: str, error: str | None
) -> None:
    done = hook(world, world.script("/hook", answer))
    assert (done.status, done.outcome, done.error) == (status, outcome, error)
    assert len(world.seen) == 1


@pytest.mark.parametrize("status", [302, 500])
def test_of_an_endless_answer_64_kb_are_read(world: World, status: int) -> None:
    sent: list[int] = []

    def stream() -> Iterator[bytes]:
        yield head(status, location="/elsewhere")
        while True:
            sent.append(10_000)
            yield b"x" * 10_000

    started = time.monotonic()
    done = hook(world, world.script("/hook", lambda: stream()))
    assert done.status == status and done.outcome == "retry"
    assert time.monotonic() - started < 3
    time.sleep(0.1)
    assert sum(sent) < 20_000_000, "what fits in the system's buffers, and then no more"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://localhost/", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://a..b/",
            "http://93.184.216.34:22/"],
)  # fmt: skip
def test_no_event_goes_to_a_place_that_is_not_public(url: str) -> None:
    with guarded() as session:
        done = webhook(url, b"{}", b"key", session, NOW, {})
    assert (done.status, done.outcome) == (None, "retry")
    assert done.error == "the address does not lead to a public host at port 80 or 443"


def test_a_proxy_of_the_environment_is_not_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    url = world.script("/hook", reply())
    assert hook(world, url).outcome == "ok"
    with guarded(permitted={world.endpoint}) as session:
        assert session.get(url, timeout=2).ok


@pytest.mark.parametrize(
    "url",
    ["", "ftp://h/", "https://", "https://user:s3cret@h/", "//h", "http://[::1", "javascript:x"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with guarded() as session, pytest.raises(Refused, match="webhook needs an address") as told:
        webhook(url, b"{}", b"key", session, NOW, {})
    assert "s3cret" not in str(told.value)


def test_headers_and_moments_are_checked(world: World) -> None:
    for value in ("a\r\nX: y", "ü", "", " a"):
        with pytest.raises(Refused, match="headers of ASCII"):
            hook(world, f"{world.base}/hook", event=value)
    with guarded() as session, pytest.raises(Refused, match="time zone"):
        webhook("https://h/", b"", b"key", session, NOW.replace(tzinfo=None), {})
    assert not world.seen


def test_after_five_failures_and_a_last_one_nobody_tries_again() -> None:
    waits = [schedule(attempt) for attempt in range(1, 8)]
    minutes = [wait.total_seconds() / 60 if wait else None for wait in waits]
    assert minutes == [1, 5, 30, 120, 720, None, None]
    with pytest.raises(Refused, match="from 1"):
        schedule(0)
