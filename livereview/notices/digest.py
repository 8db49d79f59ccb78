"""What one person's digest says: the work that waits for them and, for a lead, how the night went.

A digest knows nothing but the numbers and words that it is given, and a count of nought is not
mentioned. So blind
screening holds as long as the caller counts only what this person may see: no conflicts where they
do not adjudicate, and never how anybody voted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from livereview.errors import Refused

COLUMNS = 78  # RFC 5322, section 2.1.1
LONGEST_TITLE = 80  # characters of a title in a subject; the text has all of it
LONGEST_ERROR = 300  # likewise of a message that a source sent; the ledger has all of it
RAN_THROUGH = ("ok", "ok-zero")
OUTCOMES = {"ok": "worked", "ok-zero": "worked", "partial": "partly failed", "failed": "failed"}
OUTCOMES |= {"running": "still running"}
TURNING = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufffe\uffff"
)


class _Kind(NamedTuple):
    """A kind of work: the field of Waiting, what is counted, what to do with it, and the page where
    that is done.
    """

    field: str
    one: str
    many: str
    task: str
    page: str


KINDS = (
    _Kind(
        "screening",
        "record",
        "records",
        "to screen by title and abstract",
        "/r/{}/screen/title_abstract",
    ),
    _Kind("conflicts", "conflict", "conflicts", "to settle", "/r/{}/conflicts"),
    _Kind(
        "full_text", "full text", "full texts", "to read and decide on", "/r/{}/screen/full_text"
    ),
    _Kind("retrieval", "report", "reports", "to get hold of for the team", "/r/{}/retrieval"),
    _Kind("duplicates", "doubtful pair", "doubtful pairs", "to compare", "/r/{}/duplicates"),
    _Kind("extraction", "extraction", "extractions", "to fill in", "/r/{}/evidence"),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one person in one review; nothing is counted twice.

    Nothing in it tells whether others have voted.

    Raises:
        Refused: for a count below nought.

    Attributes:
        screening: Records that need this person's vote.
        conflicts: Nought for who may not adjudicate.
        retrieval: Reports on the list that the whole team sees.
        duplicates: Doubtful pairs of records.
        extraction: Forms to fill in.
    """

    review: str
    title: str
    screening: int
    conflicts: int
    full_text: int
    duplicates: int
    extraction: int
    retrieval: int = 0

    def __post_init__(self) -> None:
        if min(count for _, count in self.counts) < 0:
            raise Refused(f"what waits in {self.review} must be counted from 0 up")

    @property
    def counts(self) -> tuple[tuple[_Kind, int], ...]:
        return tuple((kind, getattr(self, kind.field)) for kind in KINDS)

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True)
class SecretChange:
    """That a person's account was given another secret: by whom, and when, in words.

    Attributes:
        by: A name; the person's own where it was they, or who had their secret or link.
    """

    by: str
    when: str


@dataclass(frozen=True, slots=True)
class SearchLine:
    """How one search ended: ok, ok-zero, partial or failed; any other word counts as a failure too.

    running: it has neither worked nor failed yet, and its end is told in the next digest.
    """

    name: str
    outcome: str
    found: int
    fresh: int
    error: str | None
    since: str | None = None

    @property
    def running(self) -> bool:
        return self.outcome == "running"

    @property
    def failed(self) -> bool:
        return not self.running and self.outcome not in RAN_THROUGH


@dataclass(frozen=True, slots=True)
class Night:
    """What happened to one review in a night, for its lead.

    Attributes:
        alarms: What is wrong now, a sentence each.
        published: What was published, such as "version 4"; None: nothing.
        sign_offs: Versions that wait for the lead's name, a sentence each.
    """

    review: str
    title: str
    searches: tuple[SearchLine, ...]
    alarms: tuple[str, ...]
    published: str | None
    sign_offs: tuple[str, ...]

    @property
    def failures(self) -> int:
        return sum(search.failed for search in self.searches)

    @property
    def running(self) -> int:
        return sum(search.running for search in self.searches)

    @property
    def fresh(self) -> int:
        return sum(search.fresh for search in self.searches)

    @property
    def troubled(self) -> bool:
        return bool(self.failures or self.alarms)

    @property
    def eventful(self) -> bool:
        return bool(self.troubled or self.running or self.fresh or self.published or self.sign_offs)


@dataclass(frozen=True, slots=True)
class Digest:
    """A message: the subject is one line, the text is 78 columns wide, the HTML says the same."""

    subject: str
    text: str
    html: str


class _Line(NamedTuple):
    text: str
    link: str | None = None


class _Block(NamedTuple):
    """A sentence, which may be missing, and the list that it introduces, which may be empty."""

    words: str | None
    lines: tuple[_Line, ...] = ()


class _Section(NamedTuple):
    heading: str
    blocks: tuple[_Block, ...]


def digest(
    name: str,
    waiting: Sequence[Waiting],
    nights: Sequence[Night],
    base_url: str,
    always: bool = False,
    secrets: Sequence[SecretChange] = (),
) -> Digest | None:
    """What to tell a person; None where nothing waits and nothing happened, unless `always`.

    That their secret was replaced comes first, then nights with a failure or an alarm, then what
    waits, then the other nights; nights without any event are mentioned only where `always`.
    `base_url` is the address of the web app. Raises Refused where that is none.
    """
    base = _base(base_url)
    work = [one for one in waiting if one.total]
    told = [one for one in nights if always or one.eventful]
    if not (work or told or always or secrets):
        return None
    sections = [_secrets(name, secrets, base)] if secrets else []
    sections += [_night(one, base) for one in told if one.troubled]
    sections += [_work(one, base) for one in work]
    sections += [_night(one, base) for one in told if not one.troubled]
    subject = _subject(work, [one for one in told if one.eventful])
    if secrets:
        subject = "Your sign-in secret was replaced"
    greeting = f"Hello {one_line(name)},"
    return Digest(
        subject, _text(greeting, sections, base), _html(subject, greeting, sections, base)
    )


def one_line(text: str, limit: int | None = None) -> str:
    """The text on one line: without control characters, lone surrogates and marks that turn the
    writing around.

    Line ends of every kind become spaces, so that no header can be smuggled in. Cut to `limit`
    characters, with "…".
    """
    kept = (c for c in text if c not in TURNING and unicodedata.category(c) != "Cs")
    line = " ".join(
        "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in kept).split()
    )
    if limit is None or len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def counted(count: int, one: str, many: str) -> str:
    """ "1 record", "1,200 records"."""
    return f"{count:,} {one if count == 1 else many}"


# The subject


def _subject(work: Sequence[Waiting], nights: Sequence[Night]) -> str:
    """The most urgent thing: failures, alarms, sign-offs, work, publications, new records."""
    if failed := [one for one in nights if one.failures]:
        searches = counted(
            sum(len(one.searches) - one.running for one in failed), "search", "searches"
        )
        return (
            f"Night failed: {sum(one.failures for one in failed)} of {searches} - {_where(failed)}"
        )
    if alarmed := [one for one in nights if one.alarms]:
        return f"{counted(sum(len(one.alarms) for one in alarmed), 'alarm', 'alarms')} - {_where(alarmed)}"
    if signing := [one for one in nights if one.sign_offs]:
        total = sum(len(one.sign_offs) for one in signing)
        waits = "waits" if total == 1 else "wait"
        return f"{counted(total, 'version', 'versions')} {waits} for your sign-off in {_where(signing)}"
    if work:
        return _waits(work)
    if published := [one for one in nights if one.published]:
        if len(published) == 1:
            what = one_line(published[0].published or "", LONGEST_TITLE)
        else:
            what = "new versions"
        return f"Published: {what} - {_where(published)}"
    fresh = sum(one.fresh for one in nights)
    running = sum(one.running for one in nights)
    if running and not fresh:
        return f"{counted(running, 'search', 'searches')} still running - {_where(nights)}"
    if fresh:
        return f"{counted(fresh, 'new record', 'new records')} - {_where(nights)}"
    return "Nothing waits for you"


def _waits(work: Sequence[Waiting]) -> str:
    """ "12 records wait for you in Signs of Safety"; "tasks" where there is work of several kinds."""
    total = sum(one.total for one in work)
    nouns = {(kind.one, kind.many) for one in work for kind, count in one.counts if count}
    noun = nouns.pop() if len(nouns) == 1 else ("task", "tasks")
    return f"{counted(total, *noun)} {'waits' if total == 1 else 'wait'} for you in {_where(work)}"


def _where(parts: Sequence[Waiting | Night]) -> str:
    reviews = {
        one.review: one_line(one.title, LONGEST_TITLE) or one_line(one.review) for one in parts
    }
    if len(reviews) == 1:
        return next(iter(reviews.values()))
    return f"{len(reviews)} reviews"


# What it says


def _secrets(name: str, changes: Sequence[SecretChange], base: str) -> _Section:
    lines = tuple(
        _Line(f"on {one.when}, by {'you' if one.by == name else one_line(one.by)}")
        for one in changes
    )
    advice = (
        "If it was not you, and nobody told you of it: ask your lead or whoever runs this server for a new secret now."
        " That ends every session and token of your account. Then look at My decisions for what you did not do."
    )
    blocks = (
        _Block("The secret that you sign in with was replaced:", lines),
        _Block(advice, (_Line("your account", f"{base}/account"),)),
    )
    return _Section("Your account", blocks)


def _work(one: Waiting, base: str) -> _Section:
    place = quote(one.review, safe="")
    lines = tuple(
        _Line(f"{counted(count, kind.one, kind.many)} {kind.task}", base + kind.page.format(place))
        for kind, count in one.counts
        if count
    )
    return _Section(_heading(one), (_Block("What waits for you:", lines),))


def _night(one: Night, base: str) -> _Section:
    page = f"{base}/r/{quote(one.review, safe='')}"
    searches = sorted(one.searches, key=lambda search: not search.failed)
    blocks = [_Block(_ended(one), tuple(map(_search, searches)))]
    for words, told in (("Alarms:", one.alarms), ("Waiting for your sign-off:", one.sign_offs)):
        if told:
            blocks.append(_Block(words, tuple(_Line(one_line(sentence)) for sentence in told)))
    if one.published:
        blocks.append(_Block(f"Published: {one_line(one.published)}."))
    blocks.append(
        _Block("More:", (_Line("the review", page), _Line("every search so far", f"{page}/ledger")))
    )
    return _Section(f"{_heading(one)}: last night", tuple(blocks))


def _ended(one: Night) -> str:
    if not one.searches:
        return "No search ran."
    fresh = counted(one.fresh, "new record", "new records")
    ended = len(one.searches) - one.running
    searches = counted(ended, "search", "searches")
    if one.failures:
        words = f"{one.failures:,} of {searches} failed; {fresh}"
    else:
        words = f"{searches} ran; {fresh}"
    if one.running:
        words += f"; {one.running:,} still {'runs' if one.running == 1 else 'run'}, and the next message tells its end"
    return f"{words}."


def _search(one: SearchLine) -> _Line:
    words = f"{one_line(one.name)}: {OUTCOMES.get(one.outcome) or one_line(one.outcome, 40)}"
    if one.running and one.since:
        return _Line(f"{words} since {one.since}")
    if one.outcome != "failed" or one.found:
        words += f", {one.found:,} found, {one.fresh:,} new"
    return _Line(f"{words}. {one_line(one.error, LONGEST_ERROR)}" if one.error else words)


def _heading(one: Waiting | Night) -> str:
    return one_line(one.title) or one_line(one.review)


def _base(url: str) -> str:
    """The address without the last slash."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        fine = False
    if not fine or url != one_line(url) or any(c in url for c in " <>\"'?#"):
        raise Refused(
            "the address of the web app must be like https://reviews.example.org, without ? and #"
        )
    return url.rstrip("/")


# As plain text


def _text(greeting: str, sections: Sequence[_Section], base: str) -> str:
    parts = [_wrapped(greeting)]
    for section in sections:
        heading = _wrapped(section.heading)
        parts.append([*heading, "-" * max(map(_width, heading))])
        parts += [list(_block(block)) for block in section.blocks]
    if not sections:
        parts.append(["Nothing waits for you, and nothing happened."])
    parts.append(["This message was sent by livereview:", f"{base}/"])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _block(block: _Block) -> Iterator[str]:
    if block.words:
        yield from _wrapped(block.words)
    for line in block.lines:
        yield from _wrapped(line.text, "- ", "  ")
        if line.link:
            yield f"  {line.link}"  # never broken: half an address leads nowhere


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """The text in lines of at most COLUMNS; a longer word is broken."""
    lines, indent = list[str](), first
    room, line = COLUMNS - len(first), ""
    for word in _pieces(text.split(), COLUMNS - max(len(first), len(rest))):
        longer = f"{line} {word}" if line else word
        if line and _width(longer) > room:
            lines.append(indent + line)
            indent, room, longer = rest, COLUMNS - len(rest), word
        line = longer
    return [*lines, indent + line]


def _pieces(words: Iterable[str], room: int) -> Iterator[str]:
    for word in words:
        piece = ""
        for character in word:
            if _width(piece + character) > room:
                yield piece
                piece = ""
            piece += character
        yield piece


def _width(text: str) -> int:
    """Columns on a screen: two for East Asian wide characters, none for marks that sit on others."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


# As HTML: no colours and no style of its own, so that it reads in the mail client's own, light or
# dark

_PAGE = Markup(
    '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="color-scheme" content="light dark">\n<title>{subject}</title>\n</head>\n<body>\n'
    '<p dir="auto">{greeting}</p>\n{sections}<hr>\n'
    '<p><small>This message was sent by <a href="{base}/">livereview</a>.</small></p>\n</body>\n</html>\n'
)
_HEADING = Markup('<h2 dir="auto">{}</h2>\n')
_WORDS = Markup('<p dir="auto">{}</p>\n')
_LIST = Markup("<ul>\n{}</ul>\n")
_ITEM = Markup('<li dir="auto">{}</li>\n')
_LINKED = Markup('<li dir="auto"><a href="{}">{}</a></li>\n')
_NOTHING = Markup("<p>Nothing waits for you, and nothing happened.</p>\n")


def _html(subject: str, greeting: str, sections: Sequence[_Section], base: str) -> str:
    parts = Markup("").join(map(_section, sections)) or _NOTHING
    return str(_PAGE.format(subject=subject, greeting=greeting, sections=parts, base=base))


def _section(section: _Section) -> Markup:
    return _HEADING.format(section.heading) + Markup("").join(map(_words_and_list, section.blocks))


def _words_and_list(block: _Block) -> Markup:
    words = _WORDS.format(block.words) if block.words else Markup("")
    items = [
        _LINKED.format(line.link, line.text) if line.link else _ITEM.format(line.text)
        for line in block.lines
    ]
    return words + (_LIST.format(Markup("").join(items)) if items else Markup(""))
