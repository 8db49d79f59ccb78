"""Reads review.toml, the protocol of one review, and tells people new to TOML what to mend and in
which line.

A table of the file is a dict of `_Key` here: how its value is read, and its default if it may be
left out. Whatever is wrong becomes a note (where, what); all notes are reported together, as nobody
likes to mend a file one error at a time.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from livereview import messages, texts
from livereview.errors import Refused
from livereview.review import (
    ASSISTANT_SEEN_BY,
    ASSISTANT_USES,
    DEPENDENT,
    ESTIMATORS,
    HIGH_OR_LOW,
    MODERATOR_KINDS,
    MODERATOR_READS,
    NEVER_MERGE,
    OUTCOME_KINDS,
    PREDICTIONS,
    RARE,
    SENSITIVITY,
    SIGN_OFF_DAYS,
    SLOTS,
    STAGES,
    STANDINGS,
    TESTS,
    Area,
    Assistant,
    Base,
    Code,
    Comparison,
    Configuration,
    CostBand,
    Costs,
    Criterion,
    Dedup,
    FollowUp,
    Highlights,
    Living,
    Methods,
    Moderator,
    Outcome,
    PriceFactor,
    Question,
    Reason,
    Review,
    Screening,
    Search,
    Statement,
    Tool,
)
from livereview.review_toml import limits, lines, values
from livereview.review_toml.lines import Where

# These would refuse to ask for everything they have; the addressed ones read what is at `url`; the
# others need neither.
_ASKED: tuple[str, ...] = (
    "openalex",
    "crossref",
    "pubmed",
    "europepmc",
    "semanticscholar",
    "arxiv",
    "doaj",
    "core",
    "eric",
    "datacite",
)
_ASKED += ("openaire", "clinicaltrials", "ctis", "zenodo")
_ASKED += ("scopus", "wosstarter", "wosexpanded", "govuk")
ADDRESSED = {"feed": "a feed", "page": "a watched page", "oai": "a repository"}
# files that people bring are imported, not searched
SOURCES = (*_ASKED, *ADDRESSED, "biorxiv", "osf", "citations")
SHOWN = 20  # errors in one message
LONGEST_ERROR = 2_000  # characters of one of them, which may quote what it is about

_Notes = list[tuple[Where, str]]
_NEEDED: Any = object()


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of a table: its reader raises Wrong; `form` is how a missing one is written."""

    read: Callable[[Any], Any]
    default: Any = _NEEDED
    form: str = "{} = ..."


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend in a review.toml.

    Attributes:
        line: Counted from 1: of the key, or of the table that lacks it.
        where: The key or the place in a list, such as ("searches", 1, "query"); empty for a text
            that is no TOML.
        what: What is wrong, with the next step.
    """

    line: int
    where: Where
    what: str


def load(path: Path, sources: Collection[str] = SOURCES) -> Review:
    """The review that this file describes; raises Refused when it can't be read or has errors."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Refused(
            f"{path} does not exist; `livereview init FOLDER` writes one to start from"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} can't be read as UTF-8 text: {error}") from error
    return parse(text, str(path), sources)


def parse(
    text: str,
    name: str = "review.toml",
    sources: Collection[str] = SOURCES,
    *,
    accepted: bool = False,
) -> Review:
    """The review that this text describes.

    Args:
        name: Of the file, for the messages.
        sources: Names a search may give; "package.module:Attribute" is always allowed, and loaded
            only when it is used.
        accepted: Whether the text was taken before: then the limits of lengths and characters,
            which may be newer, don't close the review to its people.

    Raises:
        Refused: with every error, each with its line, key and next step.
    """
    if len(text) > limits.LONGEST_FILE and not accepted:
        raise Refused(f"{name} {_too_long(text)}")
    try:
        document = _document(text)
    except _NoToml as error:
        raise Refused(f"{name} line {error.line}: {error.what}") from None
    review, notes = _read(document, sources, accepted=accepted)
    if notes:
        raise Refused(_report(name, notes, lines.find(text)))
    return replace(review, text=text, hash=hashlib.sha256(text.encode()).hexdigest())


def mistakes(text: str, sources: Collection[str] = SOURCES) -> tuple[Mistake, ...]:
    """All that `parse` would refuse this text for, in the order of its lines; none: it is good."""
    if len(text) > limits.LONGEST_FILE:
        return (Mistake(1, (), _too_long(text)),)
    try:
        document = _document(text)
    except _NoToml as error:
        return (Mistake(error.line, (), error.what),)
    _, notes = _read(document, sources, accepted=False)
    found = lines.find(text)
    placed = [Mistake(_line(where, found), where, texts.visible(what)) for where, what in notes]
    return tuple(sorted(placed, key=lambda mistake: mistake.line))


def _read(
    document: dict[str, Any], sources: Collection[str], *, accepted: bool
) -> tuple[Review, _Notes]:
    """The review of a document, which is only good where there are no notes."""
    limited = {} if accepted else dict(limits.problems(document))
    notes: _Notes = []
    review = _review(document, sources, notes)
    return review, [*limited.items(), *(note for note in notes if note[0] not in limited)]


def _too_long(text: str) -> str:
    return f"has {len(text):,} characters; at most {limits.LONGEST_FILE:,} are allowed"


DEEPEST = 12  # tables and lists within each other; a review needs five
MOST_PARTS = 50  # of a dotted key: enough for DEEPEST, and fewer than any sentence has full stops
NO_KEY = re.compile(r"""[^\w"' \t.-]""")  # a character that is in no key
KEY_DOT = re.compile(r"""[\w"'-][ \t]*\.[ \t]*(?=[\w"'-])""")


class _NoToml(Exception):
    """A text that is no TOML, or none that a review could be: the line, and what is wrong there."""

    def __init__(self, line: int, what: str):
        super().__init__(what)
        self.line = line
        self.what = what


def _document(text: str) -> dict[str, Any]:
    """The tables of a text, nested no deeper than DEEPEST."""
    for number, line in enumerate(text.splitlines(), 1):
        if _most_parts(line) > MOST_PARTS:
            raise _NoToml(number, f"a key has more than {MOST_PARTS} parts; see `livereview init`")
    try:
        text.encode()
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise _NoToml(*_syntax(str(error), text)) from None
    # values that Python can't hold, such as a number of 5,000 digits, are no error of TOML's
    except (RecursionError, ValueError) as error:
        advice = "write UTF-8 text as in `livereview init`"
        raise _NoToml(1, f"can't be read ({error}); {advice}") from None
    if _is_deeper(document, DEEPEST):
        raise _NoToml(1, f"its tables are nested deeper than {DEEPEST}; see `livereview init`")
    return document


def _most_parts(line: str) -> int:
    """How many parts the longest dotted key of a line can have; tomllib takes the square of that."""
    pieces = [piece for piece in NO_KEY.split(line) if len(piece) > MOST_PARTS]
    return max((len(KEY_DOT.findall(piece)) + 1 for piece in pieces), default=0)


def _is_deeper(document: dict[str, Any], most: int) -> bool:
    """Whether tables and lists are nested in more than so many others."""
    layer: list[Any] = [document]
    for _ in range(most):
        layer = [inner for value in layer for inner in _inside(value)]
    return bool(layer)


def _inside(value: Any) -> list[Any]:
    """The tables and lists that a table or a list holds."""
    values = value.values() if isinstance(value, dict) else value
    return [inner for inner in values if isinstance(inner, dict | list)]


def template() -> str:
    """A commented review.toml to start from; it parses as it is."""
    return resources.files("livereview").joinpath("template.toml").read_text(encoding="utf-8")


def blank() -> str:
    """A review.toml without a question, criteria, outcomes and searches, to be filled in."""
    return resources.files("livereview").joinpath("blank.toml").read_text(encoding="utf-8")


def _syntax(message: str, text: str) -> tuple[int, str]:
    """(line, what is wrong) of a text that is no TOML."""
    what, _, place = message.partition(" (at ")
    match = re.match(r"line (\d+), column (\d+)", place)
    if match:
        line, column = (int(match[1]), match[2])
    else:
        line, column = (text.count("\n") + 1, "end")
    advice = "texts stand in quotes, lists in [ ], a new table in [name]"
    return line, f"column {column}: {what}; {advice}"


def _report(name: str, notes: _Notes, found: Mapping[Where, int]) -> str:
    placed = sorted((_line(where, found), n, where, what) for n, (where, what) in enumerate(notes))
    said = [
        texts.visible(f"{name} line {line}: {_dotted(where)}: {what}"[:LONGEST_ERROR])
        for line, _, where, what in placed[:SHOWN]
    ]
    if len(placed) > SHOWN:
        said.append(f"... and {len(placed) - SHOWN} more errors")
    return "\n".join(said)


def _line(where: Where, found: Mapping[Where, int]) -> int:
    """Of the key, or of the table that lacks it."""
    while where and where not in found:
        where = where[:-1]
    return found.get(where, 1)


def _dotted(where: Where) -> str:
    """As people count: the second search is searches[2]."""
    return "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where
    ).removeprefix(".")


_ONE, _MANY = "[{}]", "[[{}]]"
_TOP = {
    "id": _Key(values.slug),
    "title": _Key(values.text),
    "authors": _Key(values.list_of(values.text)),
    "licence": _Key(values.text),
    "emmie": _Key(values.flag, True),
    "sites": _Key(values.text, "places"),
    "canaries": _Key(values.list_of(values.doi), ()),
    "suggestions": _Key(values.url, None),
    "site_url": _Key(values.url, None),
    "webhooks": _Key(values.list_of(values.url), ()),
    "extractors": _Key(values.whole(1, 2), 1),
    "language": _Key(values.choice("language", messages.languages()), messages.ENGLISH),
    "question": _Key(values.table, form=_ONE),
    "criteria": _Key(values.table, form=_ONE),
    "reasons": _Key(values.rows, form=_MANY),
    "taxonomy": _Key(values.rows, []),
    "codes": _Key(values.rows, []),
    "tools": _Key(values.rows, []),
    "outcomes": _Key(values.rows, form=_MANY),
    "comparisons": _Key(values.rows, []),
    "follow_up": _Key(values.rows, []),
    "methods": _Key(values.table, {}),
    "moderators": _Key(values.rows, []),
    "searches": _Key(values.rows, form=_MANY),
    "screening": _Key(values.table, {}),
    "highlights": _Key(values.table, {}),
    "dedup": _Key(values.table, {}),
    "living": _Key(values.table, form=_ONE),
    "base": _Key(values.table, None),
    "costs": _Key(values.table, None),
    "assistant": _Key(values.table, None),
    "statements": _Key(values.rows, []),
    "configurations": _Key(values.rows, []),
}
_QUESTION = {part: _Key(values.text) for part in Question.__slots__}
_CRITERIA = {
    "version": _Key(values.text),
    "include": _Key(values.rows, form="[[criteria.{}]]"),
    "exclude": _Key(values.rows, []),
}
_CRITERION = {"id": _Key(values.slug), "text": _Key(values.text)}
_REASON = {"id": _Key(values.slug), "label": _Key(values.text), "retired": _Key(values.flag, False)}
_CODE = {"id": _Key(values.slug), "label": _Key(values.text)}
_AREA = {**_CODE, "asked": _Key(values.flag, True)}
_TOOL = {
    "id": _Key(values.slug),
    "name": _Key(values.text),
    "source": _Key(values.text),
    "judgements": _Key(values.list_of(values.word)),
    "domains": _Key(values.labels, form='{} = {{ sampling = "how people were chosen" }}'),
    "overall": _Key(values.list_of(values.word), None),
    "high": _Key(values.list_of(values.word), ()),
    "apart": _Key(values.list_of(values.word), ()),
}
_OUTCOME = {
    "id": _Key(values.slug),
    "label": _Key(values.text),
    "better": _Key(values.choice("direction", ("lower", "higher"))),
    "measure": _Key(values.text, None),
    "important": _Key(values.positive, None),
    "pool": _Key(values.flag, False),
    "more": _Key(values.text, None),
    "fewer": _Key(values.text, None),
    "kind": _Key(values.choice("kind of outcome", OUTCOME_KINDS), "benefit"),
    "unit": _Key(values.text, None),
    "risk": _Key(values.positive, None),
    "risk_source": _Key(values.text, None),
    "constructs": _Key(values.list_of(values.text), ()),
    "follow_up": _Key(values.list_of(values.slug), ()),
}
_COMPARISON = {
    "id": _Key(values.slug),
    "label": _Key(values.text),
    "intervention": _Key(values.text),
    "comparator": _Key(values.text),
    "outcomes": _Key(values.list_of(values.slug), ()),
}
_FOLLOW_UP = {
    "id": _Key(values.slug),
    "label": _Key(values.text),
    "start": _Key(values.amount),
    "end": _Key(values.positive, None),
}
_PROMISED = Methods()
_METHODS = {
    "estimator": _Key(values.choice("estimator", ESTIMATORS), _PROMISED.estimator),
    "test": _Key(values.choice("test", TESTS), _PROMISED.test),
    "few": _Key(values.whole(2, 10), _PROMISED.few),
    "prediction": _Key(values.choice("prediction interval", PREDICTIONS), _PROMISED.prediction),
    "rare": _Key(values.choice("way with rare events", RARE), _PROMISED.rare),
    "dependent": _Key(values.choice("way with dependent results", DEPENDENT), _PROMISED.dependent),
    "sensitivity": _Key(values.list_of(values.choice("check", SENSITIVITY)), _PROMISED.sensitivity),
}
_MODERATOR = {
    "id": _Key(values.slug),
    "label": _Key(values.text),
    "kind": _Key(values.choice("kind of moderator", MODERATOR_KINDS)),
    "reason": _Key(values.text),
    "in_advance": _Key(values.flag, form="{} = true"),
    "values": _Key(values.list_of(values.text), ()),
    "unit": _Key(values.text, None),
    "reads": _Key(values.text, None),
    "better_for": _Key(values.text, None),
    "outcomes": _Key(values.list_of(values.slug), ()),
}
_SEARCH = {
    "name": _Key(values.slug),
    "source": _Key(values.text),
    "platform": _Key(values.text),
    "query": _Key(values.text, ""),
    "url": _Key(values.url, None),
    "filters": _Key(values.filters, ()),
    "schedule": _Key(values.cron, None),
    "overlap_days": _Key(values.whole(0, 365), 7),
    "sweep_days": _Key(values.whole(0, 365), 30),
    "start": _Key(values.day, None),
    "grey": _Key(values.flag, False),
    "usual_zero": _Key(values.flag, False),
}
_SCREENING = {
    "votes": _Key(values.whole(1, 5), 2),
    "stages": _Key(values.stages, STAGES),
    "adjudicators": _Key(values.list_of(values.text), ()),
    "core": _Key(values.list_of(values.text), ()),
    "shares": _Key(values.shares, ()),
    "ranked": _Key(values.flag, True),
    "recall_target": _Key(values.share, 0.95),
}
_HIGHLIGHTS = {
    "include": _Key(values.list_of(values.text), ()),
    "exclude": _Key(values.list_of(values.text), ()),
}
_DEDUP = {
    "never_merge": _Key(values.list_of(values.choice("difference", NEVER_MERGE)), ()),
    "same_series": _Key(values.list_of(values.series), ()),
}
_LIVING = {
    "timezone": _Key(values.zone),
    "search_schedule": _Key(values.cron),
    **{
        step: _Key(values.text)
        for step in ("screening", "extraction", "synthesis", "publication", "trigger", "retirement")
    },
    "stale_days": _Key(values.whole(1, 3650), 45),
    "status": _Key(values.choice("status", ("living", "paused", "retired")), "living"),
    "sign_off": _Key(values.flag, True),
    "sign_off_days": _Key(values.whole(1, 365), SIGN_OFF_DAYS),
}
_STATEMENT = {
    "id": _Key(values.slug),
    "under": _Key(values.choice("part of the summary", SLOTS)),
    "text": _Key(values.text),
    "studies": _Key(values.list_of(values.slug), ()),
    "findings": _Key(values.list_of(values.text), ()),
    "standing": _Key(values.choice("standing of an explanation", STANDINGS), None),
    "supports": _Key(values.list_of(values.slug), ()),
    "against": _Key(values.list_of(values.slug), ()),
    "checked": _Key(values.day, None),
    "review_by": _Key(values.day, None),
}
_COSTS = {
    "currency": _Key(values.currency),
    "year": _Key(values.whole(1900, 2100)),
    "source": _Key(values.text),
    "per": _Key(values.text, None),
    "factors": _Key(values.rows, []),
    "bands": _Key(values.rows, []),
    "outcomes": _Key(values.list_of(values.slug), ()),
}
_FACTOR = {
    "currency": _Key(values.currency),
    "year": _Key(values.whole(1900, 2100)),
    "factor": _Key(values.positive),
}
_BAND = {"label": _Key(values.text), "below": _Key(values.positive, None)}
_OFFERED = Assistant("")
_ASSISTANT = {
    "model": _Key(values.text),
    "uses": _Key(values.list_of(values.choice("use", ASSISTANT_USES)), _OFFERED.uses),
    "seen_by": _Key(values.choice("reader", ASSISTANT_SEEN_BY), _OFFERED.seen_by),
    "records_per_night": _Key(values.whole(0, 100_000), _OFFERED.records_per_night),
    "records_in_all": _Key(values.whole(0, 10_000_000), _OFFERED.records_in_all),
    "floor": _Key(values.share, _OFFERED.floor),
    "temperature": _Key(values.amount, _OFFERED.temperature),
    "apart": _Key(values.text, _OFFERED.apart),
}
_CONFIGURATION = {
    "id": _Key(values.slug),
    "context": _Key(values.text),
    "mechanism": _Key(values.text),
    "outcome": _Key(values.text),
    "evidence": _Key(values.text),
    "for_whom": _Key(values.text, None),
    "supports": _Key(values.list_of(values.slug), ()),
    "against": _Key(values.list_of(values.slug), ()),
    "checked": _Key(values.day, None),
    "review_by": _Key(values.day, None),
}
_BASE = {
    "citation": _Key(values.text),
    "year": _Key(values.whole(1900, 2100)),
    "publications": _Key(values.whole(0, 1_000_000)),
    "answer": _Key(values.text),
    "studies": _Key(values.whole(0, 1_000_000), None),
    "link": _Key(values.url, None),
}


@dataclass(frozen=True, slots=True)
class KeyRule:
    """What the reader asks of one key: the table it stands in, as the file writes it ("" at the
    top).
    """

    table: str
    name: str
    needed: bool
    default: Any = None


def rules() -> list[KeyRule]:
    """Every key that a review.toml may have; the reference is made from it."""
    tables = {
        "": _TOP,
        "question": _QUESTION,
        "criteria": _CRITERIA,
        "criteria.include": _CRITERION,
        "criteria.exclude": _CRITERION,
        "reasons": _REASON,
        "taxonomy": _AREA,
        "codes": _CODE,
        "tools": _TOOL,
        "comparisons": _COMPARISON,
        "follow_up": _FOLLOW_UP,
        "outcomes": _OUTCOME,
        "methods": _METHODS,
        "moderators": _MODERATOR,
        "searches": _SEARCH,
        "screening": _SCREENING,
        "highlights": _HIGHLIGHTS,
        "dedup": _DEDUP,
        "living": _LIVING,
        "base": _BASE,
        "costs": _COSTS,
        "costs.factors": _FACTOR,
        "costs.bands": _BAND,
        "assistant": _ASSISTANT,
        "statements": _STATEMENT,
        "configurations": _CONFIGURATION,
    }
    listed = []
    for table, keys in tables.items():
        for name, key in keys.items():
            needed = key.default is _NEEDED
            listed.append(KeyRule(table, name, needed, None if needed else key.default))
    return listed


def _review(document: dict[str, Any], sources: Collection[str], notes: _Notes) -> Review:
    """A Review that is only good where no notes were made."""
    top = _fields(document, _TOP, (), notes)
    criteria = _fields(top["criteria"], _CRITERIA, ("criteria",), notes)
    follow_up = _follow_up(top["follow_up"], notes)
    outcomes = _outcomes(top["outcomes"], [band.id for band in follow_up], notes)
    top |= {
        "question": Question(**_fields(top["question"], _QUESTION, ("question",), notes)),
        "criteria": _criteria(criteria, notes),
        "reasons": tuple(
            Reason(**row) for row in _each(top["reasons"], _REASON, ("reasons",), notes)
        ),
        "codes": tuple(Code(**row) for row in _each(top["codes"], _CODE, ("codes",), notes)),
        "tools": _tools(top["tools"], notes),
        "taxonomy": tuple(
            Area(**row) for row in _each(top["taxonomy"], _AREA, ("taxonomy",), notes)
        ),
        "outcomes": outcomes,
        "comparisons": _comparisons(top["comparisons"], [row.id for row in outcomes], notes),
        "follow_up": follow_up,
        "moderators": _moderators(top["moderators"], [row.id for row in outcomes], notes),
        "methods": Methods(**_fields(top["methods"], _METHODS, ("methods",), notes)),
        "searches": _searches(top["searches"], sources, notes),
        "screening": _screening(top["screening"], notes),
        "highlights": Highlights(**_fields(top["highlights"], _HIGHLIGHTS, ("highlights",), notes)),
        "dedup": Dedup(**_fields(top["dedup"], _DEDUP, ("dedup",), notes)),
        "living": Living(**_fields(top["living"], _LIVING, ("living",), notes)),
        "statements": _statements(top["statements"], notes),
        "costs": _costs(top["costs"], [row.id for row in outcomes], notes),
        "assistant": _assistant(top["assistant"], notes),
        "configurations": _configurations(top["configurations"], notes),
        "base": Base(**_fields(top["base"], _BASE, ("base",), notes))
        if top["base"] is not None
        else None,
    }
    return Review(**top, criteria_version=criteria["version"])


def _criteria(table: dict[str, Any], notes: _Notes) -> tuple[Criterion, ...]:
    rows = [
        (kind, n, row)
        for kind in ("include", "exclude")
        for n, row in enumerate(_each(table[kind], _CRITERION, ("criteria", kind), notes))
    ]
    included = {row["id"] for kind, _, row in rows if kind == "include" and row["id"]}
    for kind, n, row in rows:
        if kind == "exclude" and row["id"] in included:
            notes.append(
                (
                    ("criteria", kind, n, "id"),
                    f'"{row["id"]}" is an include criterion too; ids must differ',
                )
            )
    return tuple(Criterion(row["id"], kind, row["text"]) for kind, _, row in rows)


def _screening(given: Any, notes: _Notes) -> Screening:
    row = _fields(given, _SCREENING, ("screening",), notes)
    votes, core, names = (
        row["votes"] or 1,
        row["core"] or (),
        [name for name, _ in row["shares"] or ()],
    )
    if names and len(names) < votes:
        what = f"names fewer people than each record needs votes ({votes}); name more, or leave shares out"
        notes.append((("screening", "shares"), what))
    elif names and core and not set(names) & set(core):
        what = (
            f"names no core reviewer, and each record needs a vote of one; add {' or '.join(core)}"
        )
        notes.append((("screening", "shares"), what))
    return Screening(**row)


def _outcomes(given: Any, bands: Collection[str], notes: _Notes) -> tuple[Outcome, ...]:
    rows = _each(given, _OUTCOME, ("outcomes",), notes)
    for n, row in enumerate(rows):
        notes += [(("outcomes", n, key), what) for key, what in _outcome_problems(row, bands)]
        if row["important"] and not row["measure"]:
            what = 'has no unit; add measure, e.g. measure = "SMD", or leave `important` out'
            notes.append((("outcomes", n, "important"), what))
        if row["pool"] and not row["measure"]:
            notes.append(
                (
                    ("outcomes", n, "pool"),
                    'needs the measure that is pooled; add it, e.g. measure = "SMD"',
                )
            )
    return tuple(Outcome(**row) for row in rows)


def _outcome_problems(row: dict[str, Any], bands: Collection[str]) -> Iterable[tuple[str, str]]:
    """(key, what is wrong) of one outcome's keys together."""
    if bool(row["more"]) != bool(row["fewer"]):
        missing = "fewer" if row["more"] else "more"
        yield missing, "is missing: give both `more` and `fewer`, or neither"
    if row["risk"] and not row["risk"] < 1000:
        yield "risk", "is out of 1,000 people, so it must be below 1000"
    if row["risk"] and not row["risk_source"]:
        yield (
            "risk_source",
            'is missing: readers must know where the assumed risk is from; add risk_source = "..."',
        )
    for name in row["follow_up"] or ():
        if name not in bands:
            known = ", ".join(bands) or "none yet; add [[follow_up]]"
            yield "follow_up", f'"{name}" is no follow-up band of this review; they are {known}'


def _tools(given: Any, notes: _Notes) -> tuple[Tool, ...]:
    """The protocol's own tools of appraisal.

    Where `overall` is left out, a domain's judgements serve.
    """
    rows = _each(given, _TOOL, ("tools",), notes)
    for n, row in enumerate(rows):
        if row["overall"] is None:
            row["overall"] = row["judgements"]
        for key in ("high", "apart"):
            for word in row[key] or ():
                if word not in (row["overall"] or ()):
                    known = ", ".join(row["overall"] or ()) or "none"
                    what = f'"{word}" is no overall judgement of this tool; choose among {known}'
                    notes.append((("tools", n, key), what))
        if not row["high"] and row["overall"]:
            what = f'is missing: say which judgements count as high risk of bias; add high = ["{row["overall"][-1]}"]'
            notes.append((("tools", n, "high"), what))
    return tuple(Tool(**row) for row in rows)


def _comparisons(given: Any, outcomes: Collection[str], notes: _Notes) -> tuple[Comparison, ...]:
    rows = _each(given, _COMPARISON, ("comparisons",), notes)
    for n, row in enumerate(rows):
        for name in row["outcomes"] or ():
            if name not in outcomes:
                what = f'"{name}" is no outcome of this review; they are {", ".join(outcomes)}'
                notes.append((("comparisons", n, "outcomes"), what))
    return tuple(Comparison(**row) for row in rows)


def _moderators(given: Any, outcomes: Collection[str], notes: _Notes) -> tuple[Moderator, ...]:
    rows = _each(given, _MODERATOR, ("moderators",), notes)
    for n, row in enumerate(rows):
        notes += [
            (("moderators", n, key), what) for key, what in _moderator_problems(row, outcomes)
        ]
    return tuple(Moderator(**row) for row in rows)


def _moderator_problems(
    row: dict[str, Any], outcomes: Collection[str]
) -> Iterable[tuple[str, str]]:
    """(key, what is wrong) of one moderator's keys together."""
    kind, groups = row["kind"], row["values"] or ()
    if kind == "category" and len(groups) < 2:
        yield (
            "values",
            'must name the groups, two or more, e.g. values = ["under 18", "18 and over"]',
        )
    if len(set(groups)) < len(groups):
        yield "values", "names a group twice; each may stand here once"
    if any("|" in value or "=" in value for value in groups):
        yield (
            "values",
            "can't hold | or =, which part the values of a sheet's cell; use other words",
        )
    if kind == "number" and groups:
        yield "values", 'is for categories; leave it out, or write kind = "category"'
    if kind == "category" and row["unit"]:
        yield "unit", "is for numbers; leave it out"
    if kind is not None and row["reads"] not in (None, *MODERATOR_READS[kind]):
        known = ", ".join(MODERATOR_READS[kind])
        yield (
            "reads",
            f'"{row["reads"]}" can\'t be read for a {kind}; choose one of {known}, or leave it out',
        )
    expected = groups if kind == "category" else HIGH_OR_LOW
    if kind is not None and row["better_for"] not in (None, *expected):
        yield (
            "better_for",
            f'"{row["better_for"]}" must be one of {", ".join(expected)}; leave it out if none is expected',
        )
    for name in row["outcomes"] or ():
        if name not in outcomes:
            yield (
                "outcomes",
                f'"{name}" is no outcome of this review; they are {", ".join(outcomes)}',
            )


def _follow_up(given: Any, notes: _Notes) -> tuple[FollowUp, ...]:
    rows = _each(given, _FOLLOW_UP, ("follow_up",), notes)
    for n, row in enumerate(rows):
        start, end = row["start"], row["end"]
        if start is not None and end is not None and end <= start:
            notes.append(
                (
                    ("follow_up", n, "end"),
                    f"must be after start ({start:g} months); this is {end:g}",
                )
            )
    return tuple(FollowUp(**row) for row in rows)


def _statements(given: Any, notes: _Notes) -> tuple[Statement, ...]:
    rows = _each(given, _STATEMENT, ("statements",), notes)
    for n, row in enumerate(rows):
        weighed = [key for key in ("standing", "supports", "against") if row[key]]
        if weighed and row["under"] not in (None, "explanations"):
            what = f'is for rival explanations; write under = "explanations", or leave {weighed[0]} out'
            notes.append((("statements", n, weighed[0]), what))
    return tuple(Statement(**row) for row in rows)


def _costs(given: Any, outcomes: Collection[str], notes: _Notes) -> Costs | None:
    """How costs are told; each currency and year has one factor, and bands rise."""
    if given is None:
        return None
    row = _fields(given, _COSTS, ("costs",), notes)
    factors = [
        _fields(factor, _FACTOR, ("costs", "factors", n), notes)
        for n, factor in enumerate(row["factors"] or ())
    ]
    bands = _each(row["bands"], _BAND, ("costs", "bands"), notes, "label")
    problems = (
        *_factor_problems(row, factors),
        *_band_problems(bands),
        *_unit_problems(row, bands, outcomes),
    )
    notes += [(("costs", *where), what) for where, what in problems]
    row["factors"] = tuple(PriceFactor(**factor) for factor in factors)
    row["bands"] = tuple(CostBand(**band) for band in bands)
    return Costs(**row)


_Problems = Iterable[tuple[tuple[str | int, ...], str]]
"""Where in a table something is wrong, and what."""


def _factor_problems(row: dict[str, Any], factors: Sequence[dict[str, Any]]) -> _Problems:
    """Each currency and year has one factor, and the review's own needs none."""
    places = {(row["currency"], row["year"]): "the review's own, which needs no factor"}
    for n, factor in enumerate(factors):
        money = (factor["currency"], factor["year"])
        if money in places:
            what = f"{money[0]} of {money[1]} is {places[money]}; leave it out"
            yield ("factors", n), what
        places[money] = f"in factors[{n + 1}] already"


def _band_problems(bands: Sequence[dict[str, Any]]) -> _Problems:
    """Bands rise, and only the last has no upper end."""
    for n, (before, after) in enumerate(pairwise(bands), 1):
        if before["below"] is None:
            yield ("bands", n - 1, "below"), "is missing: only the last band has no upper end"
        elif after["below"] is not None and after["below"] <= before["below"]:
            what = f"must be more than {before['below']:g}, the end of the band before"
            yield ("bands", n, "below"), what


def _unit_problems(
    row: dict[str, Any], bands: Sequence[dict[str, Any]], outcomes: Collection[str]
) -> _Problems:
    """Bands and costs per outcome are per a unit, and the outcomes are the review's."""
    for name in row["outcomes"] or ():
        if name not in outcomes:
            what = f'"{name}" is no outcome of this review; they are {", ".join(outcomes)}'
            yield ("outcomes",), what
    if row["per"] is not None:
        return
    if bands:
        what = 'is missing: bands are per unit; add per = "family" or what forms name'
        yield ("per",), what
    elif row["outcomes"]:
        what = 'is missing: a cost per outcome is for a unit that both count; add per = "child"'
        yield ("per",), what


def _assistant(given: Any, notes: _Notes) -> Assistant | None:
    """Who gives a second opinion; None where nobody does."""
    if given is None:
        return None
    return Assistant(**_fields(given, _ASSISTANT, ("assistant",), notes))


def _configurations(given: Any, notes: _Notes) -> tuple[Configuration, ...]:
    rows = _each(given, _CONFIGURATION, ("configurations",), notes)
    for n, row in enumerate(rows):
        for study in set(row["supports"] or ()) & set(row["against"] or ()):
            what = f'"{study}" stands for it and against it; name it once'
            notes.append((("configurations", n, "against"), what))
    return tuple(Configuration(**row) for row in rows)


def check_cited(review: Review, studies: Collection[str], name: str = "review.toml") -> None:
    """Raises Refused, with lines, where configurations or explanations are said to rest on studies
    that are not there.

    Args:
        review: the protocol, with its text.
        studies: ids of the review's studies; where there are none yet, nothing can be told and
        nothing is refused.
        name: of the file, for the messages.
    """
    if not studies:
        return
    entries = [
        *((("configurations", n), row) for n, row in enumerate(review.configurations)),
        *((("statements", n), row) for n, row in enumerate(review.statements)),
    ]
    notes: _Notes = []
    for where, row in entries:
        for key in ("supports", "against"):
            for place, study in enumerate(getattr(row, key)):
                if study not in studies:
                    notes.append(((*where, key, place), _no_study(study, studies)))
    if notes:
        raise Refused(_report(name, notes, lines.find(review.text)))


def _no_study(study: str, studies: Collection[str]) -> str:
    some = sorted(studies)
    shown = ", ".join(some[:SHOWN]) + (
        f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    )
    return f'no study "{study}" in this review; its studies are {shown}{values.meant(study, some)}'


def _searches(given: Any, sources: Collection[str], notes: _Notes) -> tuple[Search, ...]:
    keys = {**_SEARCH, "source": _Key(values.source(sources))}
    rows = _each(given, keys, ("searches",), notes, "name")
    for n, row in enumerate(rows):
        if row["source"] in ADDRESSED and "url" not in given[n]:
            what = (
                f'is missing: {ADDRESSED[row["source"]]} needs its address; add url = "https://..."'
            )
            notes.append((("searches", n, "url"), what))
        elif row["source"] in _ASKED and not {"query", "url", "filters"} & set(given[n]):
            notes.append(
                (("searches", n, "query"), 'is missing: nothing would be asked; add query = "..."')
            )
    return tuple(Search(**row) for row in rows)


def _each(
    rows: Any, keys: Mapping[str, _Key], where: Where, notes: _Notes, unique: str = "id"
) -> list[dict[str, Any]]:
    """The rows of a list of tables, whose ids (or names) must differ."""
    found = [_fields(row, keys, (*where, n), notes) for n, row in enumerate(rows or ())]
    places: dict[str, int] = {}
    for n, row in enumerate(found):
        name = row[unique]
        if name is not None and (first := places.setdefault(name, n)) != n:
            what = f'"{name}" is taken by {_dotted((*where, first))}; each {unique} may stand here once'
            notes.append(((*where, n, unique), what))
    return found


def _fields(
    table: dict[str, Any] | None, keys: Mapping[str, _Key], where: Where, notes: _Notes
) -> dict[str, Any]:
    """Every key with its value; None for one that is wrong or missing, which is noted."""
    if table is None:
        return dict.fromkeys(keys)
    notes += [((*where, name), _unknown(name, keys, where)) for name in table if name not in keys]
    return {name: _field(table, name, key, where, notes) for name, key in keys.items()}


def _field(table: dict[str, Any], name: str, key: _Key, where: Where, notes: _Notes) -> Any:
    given = table.get(name)
    if key.default is _NEEDED and given in (None, []):
        what = "is missing" if given is None else "is empty"
        notes.append(
            ((*where, name), f"{what}; add {key.form.format(name)}, as `livereview init` shows")
        )
        return None
    if given is None:
        return key.default
    try:
        return key.read(given)
    except values.Wrong as wrong:
        notes.append(((*where, name, *wrong.inside), str(wrong)))
        return None


def _unknown(name: str, keys: Mapping[str, _Key], where: Where) -> str:
    said = f"unknown key; choose one of {', '.join(keys)}{values.meant(name, keys)}"
    if where and name in _TOP:
        said += f" (the review's own {name} stands at the top of the file, above the first [table])"
    return said
