"""How the public page says things: dates, schedules, states and links.

One place, so that all files agree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, time, tzinfo
from typing import Any, overload
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from livereview import messages
from livereview.evidence import appraisal, certainty, no_size, orientation
from livereview.evidence.finding import Finding
from livereview.evidence.forms import Result
from livereview.messages import mark, say
from livereview.records import Record, clean_doi
from livereview.review import Review
from livereview.summary.past import PastSummary

MONTHS = (
    *(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
    ),
    *("November", "December"),
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STATES = {
    "not_asked": mark("Not asked here"),
    "not_yet_assessed": mark("Not yet assessed"),
    "no_studies": mark("No studies"),
    "too_little": mark("Too little evidence"),
    "better": mark("Better results"),
    "worse": mark("Worse results"),
    "little_or_no_difference": mark("Little or no difference"),
    "disagree": mark("Results disagree"),
}
OTHER_EFFECTS: Mapping[str, Mapping[str, str]] = {
    "cost": {"more": mark("Higher costs"), "fewer": mark("Lower costs")},
    "service_use": {"more": mark("More use"), "fewer": mark("Less use")},
}
"""Of what is neither better nor worse for people by itself."""
CELLS = {"text": mark("text"), "integer": mark("whole number"), "number": mark("number")}
"""Types of the columns of published tables."""

DIRECTIONS = {
    "favours_intervention": mark("favours the intervention"),
    "favours_comparison": mark("favours the comparison"),
    "no_difference": mark("no difference"),
    "unclear": mark("direction not clear"),
}


def state(finding: Finding) -> str:
    """What a finding shows, in two or three words; an effect by what it means for people."""
    if finding.state == "effect" and finding.kind in OTHER_EFFECTS and finding.side is not None:
        return say(OTHER_EFFECTS[finding.kind][finding.side])
    if finding.state == "effect":
        state = "worse"
        if finding.good:
            state = "better"
        return say(STATES[state])
    return say(STATES[finding.state])


CHANGES = {
    "first": mark("First version"),
    "none": mark("Nothing changed"),
    "figures_updated": mark("Figures were updated; what the review says stands"),
    "reworded": mark("A finding is told in other words; the evidence is the same"),
    "left_out": mark("An outcome is no longer part of the review"),
    "more_certain": mark("The review is more certain of a finding"),
    "less_certain": mark("The review is less certain of a finding"),
    "smaller": mark("A difference is smaller than before"),
    "larger": mark("A difference is larger than before"),
    "new_finding": mark("A new finding"),
    "no_longer_supported": mark("A finding is no longer supported"),
    "now_shows": mark("The evidence now shows something else"),
}
KINDS = {
    "figures_updated": mark("figures updated"),
    "reworded": mark("told in other words"),
    "left_out": mark("no longer part of the review"),
    "more_certain": mark("more certain"),
    "less_certain": mark("less certain"),
    "smaller": mark("smaller"),
    "larger": mark("larger"),
    "new_finding": mark("new finding"),
    "no_longer_supported": mark("no longer supported"),
    "now_shows": mark("now shows"),
}
LEVELS = certainty.LEVEL_WORDS
BETTER = {"lower": mark("lower is better"), "higher": mark("higher is better")}
RULES = {
    "finding": mark("How a finding is made"),
    "effect-quality": mark("How good the evidence on the effect is"),
    "change-class": mark("How a change is classed"),
}
QUESTIONS = {
    "effect": mark("Does it work?"),
    "mechanism": mark("How might it work?"),
    "moderators": mark("For whom, and where?"),
    "implementation": mark("What does it take?"),
    "economics": mark("What does it cost?"),
}
judgement = appraisal.in_words
"""A judgement of risk of bias, of a study or of a domain."""
OUTCOMES_OF_A_SEARCH = {
    "ok": mark("worked"),
    "ok-zero": mark("worked, found nothing"),
    "partial": mark("partly failed"),
    "failed": mark("failed"),
    None: mark("has not run yet"),
}


def tidy(text: str) -> str:
    """The text without control characters, lone surrogates and marks that turn the direction of
    writing around.
    """
    if text.isascii() and text.isprintable():  # nearly every text
        return text
    return "".join(
        c
        for c in text
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _TURNING)
    )


_TURNING = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufffe\uffff"
)


_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


@contextmanager
def as_told_in(review: Review) -> Iterator[None]:
    """Within it sentences are in the language of a review, and days are those of its zone."""
    with zone(review.living.timezone), messages.language(review.language):
        yield


@contextmanager
def as_dated_in(summary: PastSummary) -> Iterator[None]:
    """Within it days are those of the zone of a review that is known by its summary.json."""
    with zone(summary.review.living.timezone):
        yield


@contextmanager
def zone(name: str) -> Iterator[None]:
    """Within it days are those of a zone, named as "Europe/London"."""
    before = _ZONE.set(ZoneInfo(name))
    try:
        yield
    finally:
        _ZONE.reset(before)


def local(moment: datetime) -> datetime:
    """The moment by the clocks of the review's place."""
    return moment.astimezone(_ZONE.get())


def date_of(iso: str) -> str:
    """ "2026-03-03": the day in the review's zone of a moment as summary.json has it."""
    return local(datetime.fromisoformat(iso)).date().isoformat()


def end_of(date: str) -> datetime:
    """The last moment of a day, as "2026-03-03", in the review's zone."""
    return datetime.combine(datetime.fromisoformat(date).date(), time.max, tzinfo=_ZONE.get())


def day(moment: datetime | None) -> str | None:
    """ "3 March 2026", in the zone of the review and in the language of the page."""
    if moment is None:
        return None
    at = local(moment)
    return messages.day(at.date()) or f"{at.day} {MONTHS[at.month - 1]} {at.year}"


@overload
def iso(moment: datetime) -> str: ...


@overload
def iso(moment: None) -> None: ...


@overload
def iso(moment: datetime | None) -> str | None: ...


def iso(moment: datetime | None) -> str | None:
    """ "2026-03-03T02:00:00Z"; fractions of a second are dropped."""
    if moment is None:
        return None
    whole_seconds = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return f"{whole_seconds.isoformat()}Z"


def schedule(cron: str, timezone: str) -> str:
    """A cron line in words where it is a simple one, else as it stands."""
    minute, hour, *rest = [*cron.split(), "", "", ""][:5]
    if not (minute.isdigit() and hour.isdigit()):
        return say("on the schedule “{cron}” ({timezone})", cron=cron, timezone=timezone)
    at = f"{int(hour):02}:{int(minute):02} ({timezone})"
    if rest == ["*", "*", "*"]:
        return say("every day at {at}", at=at)
    if rest[:2] == ["*", "*"]:
        names = {name[:3].lower(): name for name in DAYS} | {
            str(n): name for n, name in enumerate(DAYS)
        }
        if rest[2] in names:
            name = names[rest[2]]
            return say("every {day} at {at}", day=messages.weekday(DAYS.index(name)) or name, at=at)
    if rest[1:] == ["*", "*"] and rest[0].isdigit():
        return say("on day {day} of each month at {at}", day=rest[0], at=at)
    return say("on the schedule “{cron}” ({timezone})", cron=cron, timezone=timezone)


def number(value: float) -> str:
    """A number as people read it: no trailing zeros, a true minus sign, commas in thousands."""
    text = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return messages.figures(text.replace("-", "−"))


def count(value: int) -> str:
    """A whole number as people read it."""
    return messages.figures(f"{value:,}")


def between(low: str, high: str) -> str:
    """ "−0.21 to 0.43"."""
    return say("{low} to {high}", low=low, high=high)


def size(value: float) -> str:
    """An effect size with two decimals and a true minus sign."""
    return messages.figures(f"{value:,.2f}".replace("-", "−"))


def effect(result: Result) -> str:
    """ "SMD 0.12 (95% interval −0.21 to 0.43)", or why there is no size."""
    lack = orientation.lacks_size(result)
    if lack is not None:
        return say(mark("no size: {reason}"), reason=say(no_size.REASONS[lack]))
    if result.effect is None and result.ci_low is None:
        return say("size not reported")
    size = "" if result.effect is None else f" {number(result.effect)}"
    if result.ci_low is None or result.ci_high is None:
        return say("{size} (no interval reported)", size=f"{result.measure}{size}")
    bounds = {"low": number(result.ci_low), "high": number(result.ci_high)}
    return say("{size} (95% interval {low} to {high})", size=f"{result.measure}{size}", **bounds)


def stop(told: Mapping[str, Any]) -> str:
    """What a stop of the reading rests on, in sentences; `told` as `ops.stopping.test` gives it."""
    counted = {name: number(told[name]) for name in ("read", "total", "found")}
    read = say("{read} of {total} reports were read and {found} went on.", **counted)
    if told["low"] is None:
        return f"{read} {say('Nothing supports that few relevant ones are left.')}"
    sure = {
        "low": f"{100 * told['low']:.0f}",
        "sure": f"{100 * told['confidence']:.0f}",
        "most": number(told["most"]),
    }
    found = say(
        "At least {low}% of the relevant ones are found, with {sure}% confidence: up to {most} may be there.",
        **sure,
    )
    verdict = mark("The target is not met: {target}% of them.")
    if told["may_stop"]:
        verdict = mark("The target is met: {target}% of them.")
    verdict = say(verdict, target=_target(told))
    return " ".join(filter(None, (read, found, verdict, _calibrated(told.get("calibrated")))))


def _calibrated(told: Mapping[str, Any] | None) -> str:
    """What the calibrated rule said of a stop that it supports, which is no guarantee."""
    if not told or not told["may_stop"]:
        return ""
    return say(
        "The model that orders the reports expected {left} relevant ones among the unread."
        " In {reviews} of {reviews} finished reviews at least 95% were found with so few expected;"
        " that is experience, no guarantee.",
        left=f"{told['left']:.1f}",
        reviews=number(told["reviews"]),
    )


def _target(told: Mapping[str, Any]) -> str:
    return f"{100 * told['target']:.0f}"


def link(record: Record) -> str | None:
    """Where a reader finds the report: its DOI, PubMed, or a plain web address.

    None for anything else.
    """
    doi = clean_doi(record.doi)
    if doi:
        return "https://doi.org/" + quote(doi, safe="/:;()._-")
    if record.pmid and re.fullmatch(r"[1-9]\d{0,8}", record.pmid):
        return f"https://pubmed.ncbi.nlm.nih.gov/{record.pmid}/"
    return web(record.url)


def web(address: str | None) -> str | None:
    """The address if it is a plain http(s) one, else None."""
    if (
        not address
        or not re.fullmatch(r"https?://[^\s\"'<>\\^`{|}\[\]]+", address)
        or "@" in urlsplit(address).netloc
    ):
        return None
    return tidy(address)


def without_people(message: str) -> str:
    """An error message with e-mail addresses and what follows the first line taken out, at most 200
    characters.
    """
    first = message.strip().partition("\n")[0]
    return re.sub(r"(?<!\S)\S[^\s@]*+@\S+", "[address]", first)[:200]
