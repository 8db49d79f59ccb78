"""What the operator is told of, when, and in which words. Nothing here knows how it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from livereview.notices.digest import Digest, one_line

BETWEEN = timedelta(minutes=15)  # what comes and goes all the time is told in one message
AGAIN = timedelta(hours=24)  # what stands is told again each day, or it would be forgotten
LONGEST_SUBJECT = 120  # characters of the only alarm in a subject


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong.

    Attributes:
        key: What it is about; the same while it lasts, though its words may change.
        words: One sentence, with the next step.
    """

    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was last told.

    Attributes:
        alarms: What stood then: words by key.
        at: When; None: never.
    """

    alarms: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class News:
    """One message: what is new, what stands since an earlier one, and what is over."""

    fresh: tuple[str, ...]
    standing: tuple[str, ...]
    over: tuple[str, ...]


def news(told: Told, alarms: Sequence[Alarm], now: datetime) -> News | None:
    """What a receiver is to be told now; None: nothing, or not yet."""
    keys = {alarm.key for alarm in alarms}
    fresh = tuple(alarm.words for alarm in alarms if alarm.key not in told.alarms)
    standing = tuple(alarm.words for alarm in alarms if alarm.key in told.alarms)
    over = tuple(words for key, words in told.alarms.items() if key not in keys)
    changed = bool(fresh or over)
    since = None if told.at is None else now - told.at
    if since is not None and since < timedelta(0):
        since = AGAIN  # its clock was ahead
    if changed and (since is None or since >= BETWEEN):
        return News(fresh, standing, over)
    if standing and since is not None and since >= AGAIN:
        return News((), standing, over)
    return None


def after(alarms: Sequence[Alarm], now: datetime) -> Told:
    """What a receiver was told once it has heard of these."""
    return Told({alarm.key: alarm.words for alarm in alarms}, now)


def subject(news: News) -> str:
    """The news in one line."""
    wrong = (*news.fresh, *news.standing)
    if not wrong:
        return "livereview: all is well again"
    if len(wrong) == 1:
        return one_line(f"livereview: {wrong[0]}", LONGEST_SUBJECT)
    return f"livereview: {len(wrong)} alarms"


def text(news: News, address: str) -> str:
    """The news as plain text; `address` is where the service is reached, or nothing."""
    parts = (
        ("New", news.fresh),
        ("Still wrong", news.standing),
        ("Over", news.over),
    )
    lines = [
        f"{title}:\n" + "\n".join(f"- {one_line(words, 2_000)}" for words in part)
        for title, part in parts
        if part
    ]
    step = "What to do: livereview status, and the runbooks in the documentation."
    return "\n\n".join([*lines, f"{address}\n{step}" if address else step]) + "\n"


def mail(news: News, address: str) -> Digest:
    """The news as a mail."""
    plain = text(news, address)
    return Digest(subject(news), plain, str(Markup("<pre>{}</pre>").format(plain)))


def event(news: News, address: str, now: datetime) -> dict[str, Any]:
    """The news for a webhook; `text` is what chat services show."""
    return {
        "event": "service.alarm" if news.fresh or news.standing else "service.well",
        "text": f"{subject(news)}\n{text(news, address)}",
        "new": list(news.fresh),
        "standing": list(news.standing),
        "over": list(news.over),
        "service": address,
        "date": now.isoformat(),
    }
