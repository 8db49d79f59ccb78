"""The boxes in which leads write a protocol: which key of review.toml each is about, how its value
is shown, and how what was typed becomes a value again.

Nothing is checked here: the reader of review.toml says what is wrong, and its words stand at the
box.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from livereview import review_toml
from livereview.ops.protocol_drafts import slug
from livereview.review import OUTCOME_KINDS
from livereview.review_toml import SOURCES, Mistake, edit
from livereview.review_toml.lines import Where
from livereview.sources import NAMES
from livereview.sources import SOURCES as READERS

Values = Mapping[str, str]  # what stands in each box, by its name; a box that is empty is left out

SHORT = 40  # characters of a short name that is made from words
NEEDED = "This is needed."
SCHEDULES = (
    ("0 2 * * *", "every night at 02:00"),
    ("0 2 * * mon", "every Monday at 02:00"),
    ("0 2 1 * *", "on the first of each month at 02:00"),
    ("0 2 1 1,4,7,10 *", "on the first of each quarter at 02:00"),
)
STAGES = (
    ("title_abstract, full_text", "titles and abstracts, then full texts"),
    ("title_abstract", "titles and abstracts only"),
    ("full_text", "full texts only"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table of review.toml, as a box.

    Attributes:
        key: As review.toml has it.
        kind: One of KINDS.
        needed: Whether the reader asks for it.
        choices: (value, words) of a select.
        aside: Whether it stands under "More", as most reviews leave it out.
    """

    key: str
    label: str
    kind: str = "line"
    help: str = ""
    needed: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    aside: bool = False

    @property
    def chosen(self) -> bool:
        """Whether its value is chosen from a list."""
        return KINDS[self.kind].chosen


@dataclass(frozen=True, slots=True)
class Group:
    """A table, or a list of tables, of review.toml.

    Attributes:
        table: Its place; () is the top of the file.
        row_name: What one row of a list is called; "" for a table, which has no rows.
        named_by: Keys from whose words a new row's id is made.
        id_key: The key that tells rows apart.
        needed: Whether a list must have a row.
    """

    table: tuple[str, ...]
    heading: str
    fields: tuple[Field, ...]
    about: str = ""
    row_name: str = ""
    named_by: tuple[str, ...] = ("label", "text")
    id_key: str = "id"
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the editor."""

    name: str
    title: str
    groups: tuple[Group, ...]


def _choices(*words: str) -> tuple[tuple[str, str], ...]:
    return tuple((word, word.replace("_", " ")) for word in words)


_SOURCES = tuple((name, READERS[name].title) for name in SOURCES if name in NAMES)
_ID = Field("id", "Short name", "id", "Left empty, it is made from the words. It never changes.")

QUESTION = Step(
    "question",
    "Question",
    (
        Group(
            (),
            "The review",
            (
                Field("title", "Title", needed=True, help="PRISMA-LSR asks for the word “living”."),
                Field("authors", "Authors", "lines", "One a line.", needed=True),
                Field("licence", "Licence of the published summary", needed=True),
                Field(
                    "extractors",
                    "People who extract each study",
                    "number_select",
                    choices=(("1", "one"), ("2", "two, and what they agree on holds")),
                ),
            ),
        ),
        Group(
            ("question",),
            "The question",
            (
                Field("text", "Question", "text", needed=True),
                Field("population", "Population", "text", needed=True),
                Field("intervention", "Intervention", "text", needed=True),
                Field("comparator", "Comparator", "text", needed=True),
                Field("outcomes", "Outcomes", "text", needed=True),
                Field("context", "Context", "text", "Countries, settings, years, languages.", True),
            ),
            "Where a part says nothing, write “any” or “none”.",
        ),
    ),
)
CRITERIA = Step(
    "criteria",
    "Criteria and reasons",
    (
        Group(
            ("criteria",),
            "Version of the criteria",
            (Field("version", "Version", needed=True),),
            "Raise it when the criteria change: each decision remembers the version that it used.",
        ),
        Group(
            ("criteria", "include"),
            "Include if",
            (_ID, Field("text", "Condition", "text", needed=True)),
            "One for each condition that a report must meet.",
            row_name="condition to include",
            needed=True,
        ),
        Group(
            ("criteria", "exclude"),
            "Exclude if",
            (_ID, Field("text", "Condition", "text", needed=True)),
            "One for each condition that rules a report out; there may be none.",
            row_name="condition to exclude",
        ),
        Group(
            ("reasons",),
            "Reasons to exclude at full text",
            (
                _ID,
                Field("label", "Reason", needed=True, help="As the flow diagram prints it."),
                Field("retired", "Not offered any more; old decisions keep it", "flag"),
            ),
            row_name="reason",
            needed=True,
        ),
    ),
)
OUTCOMES = Step(
    "outcomes",
    "Outcomes and comparisons",
    (
        Group(
            ("outcomes",),
            "Outcomes",
            (
                _ID,
                Field("label", "Outcome", needed=True),
                Field(
                    "better",
                    "What is good for people",
                    "select",
                    needed=True,
                    choices=(("lower", "less of it"), ("higher", "more of it")),
                ),
                Field("kind", "It is about", "select", choices=_choices(*OUTCOME_KINDS)),
                Field("measure", "Measure", help="SMD, MD, RR, OR, HR, RD …"),
                Field(
                    "important",
                    "Smallest important difference",
                    "number",
                    "Events per 1,000 people, or in the measure.",
                ),
                Field("pool", "Average sizes over studies", "flag"),
                Field("more", "More of it, as a reader would say", aside=True),
                Field("fewer", "Less of it, as a reader would say", aside=True),
                Field("unit", "Unit of a mean difference", aside=True),
                Field(
                    "risk",
                    "Of 1,000 people without it, so many have the event",
                    "number",
                    aside=True,
                ),
                Field("risk_source", "Where that number is from", aside=True),
                Field(
                    "constructs",
                    "Measures that stand for it",
                    "lines",
                    "Preferred first.",
                    aside=True,
                ),
                Field(
                    "follow_up",
                    "Follow-up bands",
                    "lines",
                    "Their short names, preferred first.",
                    aside=True,
                ),
            ),
            "Each gets a row in the summary, whether or not there are studies.",
            row_name="outcome",
            needed=True,
        ),
        Group(
            ("comparisons",),
            "Comparisons",
            (
                _ID,
                Field("label", "Comparison", needed=True),
                Field("intervention", "Intervention, inside a sentence", needed=True),
                Field("comparator", "Comparator, inside a sentence", needed=True),
                Field(
                    "outcomes",
                    "Only these outcomes",
                    "lines",
                    "Their short names; none: all.",
                    aside=True,
                ),
            ),
            "What is compared with what; each has an answer of its own. There may be none.",
            row_name="comparison",
        ),
        Group(
            ("follow_up",),
            "Bands of follow-up",
            (
                _ID,
                Field("label", "Band", needed=True),
                Field("start", "From, in months", "number", needed=True),
                Field("end", "Up to, in months", "number"),
            ),
            row_name="band",
        ),
    ),
)
SEARCHES = Step(
    "searches",
    "Searches",
    (
        Group(
            ("searches",),
            "Searches",
            (
                Field("name", "Short name", "id", "Left empty, it is made from the source."),
                Field("source", "Source", "select", needed=True, choices=_SOURCES),
                Field("platform", "Platform, as the search report names it", needed=True),
                Field("query", "Query", "code", "Exactly as it is sent (PRISMA-S)."),
                Field("url", "Address", help="Of a feed, a watched page or a repository."),
                Field(
                    "filters",
                    "Filters",
                    "pairs",
                    "One a line, in the source’s words: type: article",
                ),
                Field(
                    "start", "Look no further back than", "day", "2020-01-31; empty: everything."
                ),
                Field("schedule", "When", "schedule", aside=True),
                Field("overlap_days", "Days that each search reaches back", "number", aside=True),
                Field(
                    "sweep_days",
                    "Days after which it begins again from the start",
                    "number",
                    aside=True,
                ),
                Field("grey", "Grey literature", "flag", aside=True),
                Field("usual_zero", "Finding nothing is normal", "flag", aside=True),
            ),
            "One for each source, exactly as it is run.",
            row_name="search",
            needed=True,
            named_by=("platform", "source"),
            id_key="name",
        ),
    ),
)
SCREENING = Step(
    "screening",
    "Screening",
    (
        Group(
            ("screening",),
            "Who decides",
            (
                Field("votes", "Reviewers who decide on each record", "number"),
                Field("stages", "Stages", "words_select", choices=STAGES),
                Field(
                    "adjudicators",
                    "Who settles conflicts",
                    "lines",
                    "Names of accounts, one a line; empty: any lead or adjudicator who did not vote.",
                ),
                Field(
                    "core",
                    "Experienced reviewers",
                    "lines",
                    "One vote on each record is theirs; empty: anybody’s will do.",
                    aside=True,
                ),
                Field("ranked", "The likely ones first", "flag"),
                Field(
                    "recall_target",
                    "Share of relevant reports that reading is tested against",
                    "number",
                    aside=True,
                ),
            ),
        ),
        Group(
            ("dedup",),
            "Duplicates: rules of your field",
            (
                Field(
                    "never_merge",
                    "Never merged by rule where this differs",
                    "lines",
                    "One a line: year, volume, issue, pages, place or type. A person decides then.",
                    aside=True,
                ),
                Field(
                    "same_series",
                    "Names that mean one series",
                    "lines",
                    "One series a line, its names parted by =: Campbell Reviews = The Campbell Library",
                    aside=True,
                ),
            ),
        ),
        Group(
            ("highlights",),
            "Words marked on the screen",
            (
                Field("include", "That speak for a record", "lines", "One a line."),
                Field("exclude", "That speak against it", "lines", "One a line."),
            ),
        ),
    ),
)
LIVING = Step(
    "living",
    "Keeping it alive",
    (
        Group(
            ("living",),
            "How the review is kept alive",
            (
                Field("search_schedule", "When searches run", "schedule", needed=True),
                Field(
                    "timezone", "Time zone", help="Area/City, such as Europe/London.", needed=True
                ),
                Field("screening", "Screening", "text", needed=True),
                Field("extraction", "Extraction", "text", needed=True),
                Field("synthesis", "Synthesis", "text", needed=True),
                Field("publication", "Publication", "text", needed=True),
                Field("trigger", "What makes a new version", "text", needed=True),
                Field("retirement", "The plan to leave living mode", "text", needed=True),
                Field("stale_days", "Days after which the page warns that no search ran", "number"),
                Field(
                    "status", "Status", "select", choices=_choices("living", "paused", "retired")
                ),
                Field("sign_off", "A changed conclusion waits for a lead’s name", "flag"),
                Field("sign_off_days", "Days within which a lead signs", "number"),
            ),
            "PRISMA-LSR, item L1. It is published with the review.",
        ),
    ),
)
STEPS = (QUESTION, CRITERIA, OUTCOMES, SEARCHES, SCREENING, LIVING)
BY_NAME = {step.name: step for step in STEPS}


def step_of(where: Where) -> Step | None:
    """The page on which a place of the protocol is written; None: only in the text."""
    table = tuple(part for part in where if isinstance(part, str))
    for step in STEPS:
        for group in step.groups:
            keys = {(*group.table, field.key) for field in group.fields}
            if table in keys or (table and table == group.table):
                return step
    return None


# A value as text, and a text as a value


def _as_lines(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return str(value)


def _from_lines(text: str) -> Any:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _as_number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _from_number(text: str) -> Any:
    """A number where it is one; else the text, about which the reader will say what is wrong."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?\d{0,15}\.\d{1,15}", text):
        return float(text)
    return text


def _as_flag(value: Any) -> str:
    return "yes" if value is True else ""


def _as_pairs(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    lines = []
    for name, given in value.items():
        for item in given if isinstance(given, list) else [given]:
            lines.append(f"{name}: {str(item).lower() if isinstance(item, bool) else item}")
    return "\n".join(lines)


def _from_pairs(text: str) -> Any:
    """Names with their values; a name that stands twice has a list."""
    pairs: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, given = line.partition(":")
        if not line.strip():
            continue
        if not colon:
            return text
        pairs.setdefault(name.strip(), []).append(given.strip())
    return {name: given[0] if len(given) == 1 else given for name, given in pairs.items()}


def _as_day(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _from_day(text: str) -> Any:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _as_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)


def _from_words(text: str) -> list[str]:
    return text.split(", ")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is shown in a box, and what is typed there read.

    Attributes:
        chosen: Whether it is chosen from a list, and not typed.
    """

    show: Callable[[Any], str] = str
    read: Callable[[str], Any] = str
    chosen: bool = False


KINDS = {
    "line": Kind(),
    "text": Kind(),
    "code": Kind(),
    "id": Kind(),
    "schedule": Kind(chosen=True),
    "lines": Kind(_as_lines, _from_lines),
    "number": Kind(_as_number, _from_number),
    "flag": Kind(_as_flag, bool),
    "pairs": Kind(_as_pairs, _from_pairs),
    "day": Kind(_as_day, _from_day),
    "select": Kind(chosen=True),
    "number_select": Kind(_as_number, _from_number, chosen=True),
    "words_select": Kind(_as_words, _from_words, chosen=True),
}
_DEFAULTS = {(rule.table, rule.name): rule.default for rule in review_toml.rules()}


def _default(group: Group, field: Field) -> Any:
    """What the reader takes where the key is left out."""
    value = _DEFAULTS.get((".".join(group.table), field.key))
    return list(value) if isinstance(value, tuple) else value


def _shown(group: Group, field: Field, value: Any) -> str:
    value = _default(group, field) if value is None else value
    return "" if value is None else KINDS[field.kind].show(value)


# What stands in the boxes of a step


def rows_of(values: Mapping[str, Any], group: Group) -> int:
    """How many rows a list has."""
    rows = edit.value_at(values, group.table)
    return len(rows) if isinstance(rows, list) else 0


def places(group: Group, rows: int) -> Iterator[tuple[Where, int | None]]:
    """(place, number of the row or None) of each table of a group, one new row at the end."""
    if not group.row_name:
        yield group.table, None
        return
    for number in range(rows + 1):
        yield (*group.table, number), number


def name_of(where: Where) -> str:
    """The name of a box: "outcomes.0.label"."""
    return ".".join(str(part) for part in where)


def stands(text: str, step: Step) -> dict[str, str]:
    """What stands in each box of a step, by its name; empty boxes are left out."""
    values = edit.document(text)
    boxes = {}
    for group in step.groups:
        for table, _ in places(group, rows_of(values, group)):
            new = group.row_name and edit.value_at(values, table) is None
            for field in group.fields:
                where = (*table, field.key)
                if new:
                    shown = ""
                else:
                    shown = _shown(group, field, edit.value_at(values, where))
                if shown:
                    boxes[name_of(where)] = shown
    return boxes


# What was typed, in the text


def written(text: str, step: Step, typed: Values) -> str:
    """The text with what was typed into the boxes of a step; all else in it stays as it is."""
    values = edit.document(text)
    changes: dict[Where, Any] = {}
    taken_out: list[Where] = []
    for group in step.groups:
        rows = rows_of(values, group)
        for table, number in places(group, rows):
            if number is not None and typed.get(f"{name_of(table)}.out"):
                taken_out.append(table)
            elif number == rows:
                changes.update(_new_row(values, group, table, typed))
            else:
                changes.update(_changed(values, group, table, typed))
    return edit.without_rows(edit.with_values(text, changes), taken_out)


def _typed(typed: Values, where: Where) -> str:
    return typed.get(name_of(where), "").replace("\r\n", "\n").strip()


def _changed(
    values: Mapping[str, Any], group: Group, table: Where, typed: Values
) -> Iterator[tuple[Where, Any]]:
    """The keys of a table in whose boxes something else stands now."""
    for field in group.fields:
        where = (*table, field.key)
        present = edit.value_at(values, where)
        given = _typed(typed, where)
        if field.kind == "id" or given == _shown(group, field, present).strip():
            continue
        yield where, _value(field, given)


def _value(field: Field, given: str) -> Any:
    """What a box says as a value; None: the key is left out."""
    if field.kind == "flag":
        return bool(given)
    if not given:
        return None
    return KINDS[field.kind].read(given)


def _new_row(
    values: Mapping[str, Any], group: Group, table: Where, typed: Values
) -> Iterator[tuple[Where, Any]]:
    """The keys of the empty row at the end, where somebody has typed words into it."""
    words = [field for field in group.fields if field.kind != "flag" and not field.chosen]
    if not any(_typed(typed, (*table, field.key)) for field in words):
        return
    for field in group.fields:
        where = (*table, field.key)
        given = _typed(typed, where)
        if field.kind == "id":
            yield where, given or _made_id(values, group, table, typed)
        elif given and given != _shown(group, field, None):
            yield where, _value(field, given)


def _made_id(values: Mapping[str, Any], group: Group, table: Where, typed: Values) -> str:
    """A short name from the words of a row that no other row has."""
    rows = edit.value_at(values, group.table) or []
    taken = {row.get(group.id_key) for row in rows if isinstance(row, dict)}
    words = next(
        (_typed(typed, (*table, key)) for key in group.named_by if _typed(typed, (*table, key))), ""
    )
    base = slug(words)[:SHORT].strip("-") or slug(group.row_name)
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


# The page of a step


@dataclass(frozen=True, slots=True)
class Box:
    """A field as the page shows it."""

    name: str
    field: Field
    value: str
    mistake: str

    @property
    def id(self) -> str:
        """For labels."""
        return self.name.replace(".", "-")

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """What a select offers: its choices, and what stands there where that is none of them."""
        offered = SCHEDULES if self.field.kind == "schedule" else self.field.choices
        if self.value and self.value not in [value for value, _ in offered]:
            return (*offered, (self.value, self.value))
        return offered


@dataclass(frozen=True, slots=True)
class Row:
    """A table, or one row of a list.

    Attributes:
        name: Of its boxes' beginning, "outcomes.0".
        id: The short name that it has; "" for a table and for a new row.
        new: Whether it is the empty one at the end.
    """

    name: str
    id: str
    heading: str
    boxes: tuple[Box, ...]
    new: bool = False

    @property
    def wrong(self) -> bool:
        """Whether a box of it must be mended."""
        return any(box.mistake for box in self.boxes)


@dataclass(frozen=True, slots=True)
class Section:
    """A group with what stands in it; `mistake` is about the group as a whole."""

    group: Group
    rows: tuple[Row, ...]
    mistake: str

    @property
    def id(self) -> str:
        """For links."""
        return "-".join(self.group.table) or "review"


def sections(
    text: str, step: Step, values: Values, mistakes: Sequence[Mistake]
) -> tuple[Section, ...]:
    """A step for its page: `values` stand in the boxes, which may not be saved yet."""
    stand = edit.document(text)
    built = []
    for group in step.groups:
        tables = list(places(group, rows_of(stand, group)))
        rows = tuple(
            _row(stand, group, table, number, values, mistakes) for table, number in tables
        )
        about = [wrong.what for wrong in mistakes if wrong.where == group.table and group.row_name]
        built.append(Section(group, rows, plain(about[0]) if about else ""))
    return tuple(built)


def _row(
    stand: Mapping[str, Any],
    group: Group,
    table: Where,
    number: int | None,
    values: Values,
    mistakes: Sequence[Mistake],
) -> Row:
    present = edit.value_at(stand, table)
    boxes = tuple(
        _box(group, field, (*table, field.key), values, mistakes) for field in group.fields
    )
    row = present if number is not None and isinstance(present, dict) else {}
    words = next((str(row[key]) for key in group.named_by if row.get(key)), "")
    heading = (
        f"{group.row_name.capitalize()} {(number or 0) + 1}" if group.row_name else group.heading
    )
    return Row(
        name=name_of(table),
        id=str(row.get(group.id_key, "")),
        heading=f"{heading}: {words}" if words else heading,
        boxes=boxes,
        new=number is not None and present is None,
    )


def _box(
    group: Group, field: Field, where: Where, values: Values, mistakes: Sequence[Mistake]
) -> Box:
    length = len(where)
    about = [wrong.what for wrong in mistakes if wrong.where[:length] == where]
    return Box(
        name_of(where), field, values.get(name_of(where), ""), plain(about[0]) if about else ""
    )


_TECHNICAL = (
    (re.compile(r"^is (missing|empty)[;,] .*", re.DOTALL), NEEDED),
    (re.compile(r", without quotes|; add \w+ = .*$"), ""),
)


def plain(what: str) -> str:
    """What the reader says, without what it says about writing TOML."""
    for pattern, instead in _TECHNICAL:
        what = pattern.sub(instead, what)
    return what


def on(step: Step, mistakes: Sequence[Mistake]) -> list[Mistake]:
    """The mistakes that are mended on a step."""
    return [wrong for wrong in mistakes if step_of(wrong.where) is step]
