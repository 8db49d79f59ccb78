"""How the public page says things: dates, schedules, states and links. One place, so that all files agree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from livereview.evidence.forms import Result
from livereview.records import Record, clean_doi

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STATES = {
    "no_studies": "No studies",
    "insufficient_evidence": "Too little evidence",
    "mixed": "Points both ways",
    "favours_intervention": "Points towards better results",
    "favours_comparison": "Points towards worse results",
    "no_important_effect": "No important difference",
}
DIRECTIONS = {
    "favours_intervention": "favours the intervention",
    "favours_comparison": "favours the comparison",
    "mixed": "points both ways",
    "no_difference": "no difference",
    "unclear": "direction not clear",
}
CHANGES = {
    "first": "First version",
    "none": "Nothing changed",
    "detail": "Details changed, no conclusion did",
    "strengthened": "Conclusion changed: there is more evidence",
    "weakened": "Conclusion changed: the evidence is weaker",
    "reversed": "Conclusion changed: the evidence now points another way",
    "withdrawn": "Conclusion changed: evidence was withdrawn",
}
QUESTIONS = {
    "effect": "Does it work?",
    "mechanism": "How might it work?",
    "moderators": "For whom, and where?",
    "implementation": "What does it take?",
    "economics": "What does it cost?",
}
RISK_OF_BIAS = {
    "low": "low",
    "some_concerns": "some concerns",
    "high": "high",
    "serious": "serious",
    "critical": "critical",
    None: "not judged",
}
OUTCOMES_OF_A_SEARCH = {
    "ok": "worked",
    "ok-zero": "worked, found nothing",
    "partial": "partly failed",
    "failed": "failed",
    None: "has not run yet",
}


def tidy(text: str) -> str:
    """The text without control characters, lone surrogates and marks that turn the direction of writing around."""
    if text.isascii() and text.isprintable():  # nearly every text
        return text
    return "".join(
        c for c in text if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _TURNING)
    )


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufffe\uffff")


def day(moment: datetime | None) -> str | None:
    """ "3 March 2026", in UTC and in English wherever it is built."""
    if moment is None:
        return None
    at = moment.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def iso(moment: datetime | None) -> str | None:
    """ "2026-03-03T02:00:00Z"; fractions of a second are dropped."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z" if moment else None


def schedule(cron: str, timezone: str) -> str:
    """A cron line in words where it is a simple one, else as it stands."""
    minute, hour, *rest = [*cron.split(), "", "", ""][:5]
    if not (minute.isdigit() and hour.isdigit()):
        return f"on the schedule “{cron}” ({timezone})"
    at = f"at {int(hour):02}:{int(minute):02} ({timezone})"
    if rest == ["*", "*", "*"]:
        return f"every day {at}"
    if rest[:2] == ["*", "*"]:
        names = {name[:3].lower(): name for name in DAYS} | {str(n): name for n, name in enumerate(DAYS)}
        if rest[2] in names:
            return f"every {names[rest[2]]} {at}"
    if rest[1:] == ["*", "*"] and rest[0].isdigit():
        return f"on day {rest[0]} of each month {at}"
    return f"on the schedule “{cron}” ({timezone})"


def number(value: float) -> str:
    """A number as people read it: no trailing zeros, a true minus sign, commas in thousands."""
    return f"{value:,.4g}".replace("-", "−") if abs(value) < 1000 else f"{value:,.0f}".replace("-", "−")


def size(value: float) -> str:
    """An effect size with two decimals and a true minus sign."""
    return f"{value:,.2f}".replace("-", "−")


def effect(result: Result) -> str:
    """ "SMD 0.12 (95% interval −0.21 to 0.43)", or that no size was reported."""
    if result.effect is None and result.ci_low is None:
        return "size not reported"
    size = "" if result.effect is None else f" {number(result.effect)}"
    if result.ci_low is None or result.ci_high is None:
        return f"{result.measure}{size} (no interval reported)"
    return f"{result.measure}{size} (95% interval {number(result.ci_low)} to {number(result.ci_high)})"


def stop(told: Mapping[str, Any]) -> str:
    """What a stop of the reading rests on, in sentences; `told` as `ops.stopping.test` gives it."""
    read = f"{number(told['read'])} of {number(told['total'])} reports were read and {number(told['found'])} went on."
    if told["low"] is None:
        return f"{read} Nothing supports that few relevant ones are left."
    sure = f"with {100 * told['confidence']:.0f}% confidence"
    found = f"At least {100 * told['low']:.0f}% of the relevant ones are found, {sure}"
    verdict = "The target is met" if told["may_stop"] else "The target is not met"
    return f"{read} {found}: up to {number(told['most'])} may be there. {verdict}: {100 * told['target']:.0f}% of them."


def link(record: Record) -> str | None:
    """Where a reader finds the report: its DOI, PubMed, or a plain web address. None for anything else."""
    doi = clean_doi(record.doi)
    if doi:
        return "https://doi.org/" + quote(doi, safe="/:;()._-")
    if record.pmid and re.fullmatch(r"[1-9]\d{0,8}", record.pmid):
        return f"https://pubmed.ncbi.nlm.nih.gov/{record.pmid}/"
    return web(record.url)


def web(address: str | None) -> str | None:
    """The address if it is a plain http(s) one, else None."""
    if not address or not re.fullmatch(r"https?://[^\s\"'<>\\^`{|}\[\]]+", address) or "@" in urlsplit(address).netloc:
        return None
    return tidy(address)


def without_people(message: str) -> str:
    """An error message with e-mail addresses and what follows the first line taken out, at most 200 characters."""
    first = message.strip().partition("\n")[0]
    return re.sub(r"\S+@\S+", "[address]", first)[:200]
