"""Finding reports: the conditions, the facets with their counts and one page of rows, in one
question.

A facet counts what is there under all other choices, so that a second value of it can be added; it
takes no question of its own. What a person may not see yet (`screening.blindness`) is left out of
the decisions before anything is counted, ordered or searched, so nothing here can tell of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from livereview.screening import blindness
from livereview.screening.blindness import TAKES_VOTES
from livereview.screening.find import Term
from livereview.store import standings, tags
from livereview.store.open import Connection
from livereview.store.tags import Tag


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks, and how much of others' decisions they may see.

    Attributes:
        me: The account.
        everything: All decisions: a lead who does not screen.
        own_only: No decisions but their own, ever: a reviewer. Neither: others' too, where a report
        takes no votes any more.
        again: Reports that they are asked about again without being told, each with its stage:
        these look as if nothing had been decided there.
        voters: Who votes in the review, by name.
    """

    me: str
    everything: bool = False
    own_only: bool = True
    again: Mapping[str, str] = field(default_factory=dict)
    voters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Which reports, and which page of them.

    Attributes:
        terms: What must hold of the texts.
        chosen: The values of each facet, of which one must hold; a facet without any is no
        condition.
        sort: One of SORTS.
        offset: Rows before the page.
        limit: Rows of the page.
    """

    terms: tuple[Term, ...] = ()
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "found"
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """How many reports there are, those of the page, and (value, count) of each facet."""

    total: int
    reports: tuple[str, ...]
    facets: Mapping[str, tuple[tuple[str, int], ...]]


# Facets whose value is one expression of a row of `found`.
_ONE = {
    "stage": "stage",
    "state": "state",
    "mine": "mine",
    "year": "year",
    "type": "type",
    "language": "language",
    "pdf": "pdf",
    "abstract": "abstract",
    "retraction": "retraction",
}
# Facets that are a list in a row of `found`.
_LISTS = {"source": "sources", "search": "searches"}
# Other facets that may have several values for a report: each a question for (report_id, value).
_MANY = {
    "vote": "SELECT DISTINCT report_id, verdict AS value FROM said",
    "by": "SELECT DISTINCT report_id, reviewer AS value FROM said",
    "reason": "SELECT DISTINCT report_id, reason AS value FROM said WHERE reason IS NOT NULL",
    "tag": "SELECT report_id, value FROM tagged",
    "study": "SELECT report_id, study AS value FROM current_study WHERE review = $review",
    "relation": """SELECT report_id, 'merged' AS value FROM found WHERE records > 1
        UNION SELECT report_id, value FROM related""",
    "awaits": """SELECT h.report_id, v.name AS value
        FROM (SELECT report_id, stage FROM screening_state WHERE review = $review AND state = 'half') h
        CROSS JOIN (SELECT unnest($voters::VARCHAR[]) AS name) v
        ANTI JOIN said d ON d.report_id = h.report_id AND d.stage = h.stage AND d.reviewer = v.name""",
}
FACETS = (*_ONE, *_LISTS, *_MANY)
FOR_ALL_SEEING = ("awaits",)
FOR_LEADS = ("vote", "by")  # of a reviewer's own there is `mine`

SORTS = {
    "found": "place",
    "newest": "place DESC",
    "title": "lower(title) NULLS LAST, place",
    "author": "lower(author) NULLS LAST, place",
    "year": "year_number DESC NULLS LAST, place",
    "oldest": "year_number NULLS LAST, place",
    "rank": "rank NULLS LAST, place",
}

_SAID = """
    said AS MATERIALIZED (SELECT d.report_id, d.stage, d.reviewer, d.role, d.verdict, d.reason, d.note, d.tags, d.seq
        FROM current_decision d JOIN screening_state s ON s.review = d.review AND s.report_id = d.report_id
        WHERE d.review = $review AND {visible} AND NOT list_contains($again::VARCHAR[], d.report_id))"""
_TAGGED = """
    tagged AS MATERIALIZED (SELECT g.report_id, t.name AS value FROM current_tagging g
        JOIN current_tag t ON t.review = g.review AND t.tag = g.tag WHERE g.review = $review
        UNION SELECT report_id, coalesce(n.name, w.word) FROM (SELECT report_id, unnest(tags) AS word FROM said) w
        LEFT JOIN (SELECT lower(a.name) AS called, max_by(c.name, a.seq) AS name FROM tag a
            JOIN current_tag c ON c.review = a.review AND c.tag = a.tag WHERE a.review = $review GROUP BY ALL) n
            ON n.called = lower(w.word))"""
_RELATED = """
    related AS MATERIALIZED (SELECT DISTINCT coalesce(p.report_id, m.record_id) AS report_id, m.verdict AS value
        FROM (SELECT left_id AS record_id, verdict FROM current_match WHERE verdict IN ('linked', 'doubtful')
            UNION ALL SELECT right_id, verdict FROM current_match WHERE verdict IN ('linked', 'doubtful')) m
        LEFT JOIN report p ON p.record_id = m.record_id)"""
# Folded as `screening.find.fold` does, as far as SQL can.
_WORDS = r"""
    words AS MATERIALIZED (SELECT report_id, kind,
            ' ' || trim(regexp_replace(lower(strip_accents(text)), '[^\p{{L}}\p{{N}}]+', ' ', 'g')) || ' ' AS text FROM (
        SELECT report_id, 'note' AS kind, note AS text FROM said WHERE note IS NOT NULL
        UNION ALL SELECT report_id, 'tag', value FROM tagged))"""
_FOUND = """
    found AS MATERIALIZED (SELECT l.report_id, l.title, l.authors[1] AS author, l.year AS year_number, s.seq AS place, {rank} AS rank,
            l.sources, l.searches, l.records, coalesce(a.stage, s.stage) AS stage,
            CASE WHEN a.stage IS NOT NULL THEN 'open' WHEN s.state = 'half' AND NOT $everything THEN 'open' ELSE s.state END
                AS state,
            coalesce(m.verdict, 'none') AS mine, coalesce(l.year::VARCHAR, '') AS year, coalesce(l.type, '') AS type,
            coalesce(l.language, '') AS language, CASE WHEN f.report_id IS NULL THEN 'no' ELSE 'yes' END AS pdf,
            CASE WHEN l.has_abstract THEN 'yes' ELSE 'no' END AS abstract, coalesce(l.retraction, '') AS retraction
        FROM listing l JOIN screening_state s ON s.review = l.review AND s.report_id = l.report_id
        LEFT JOIN (SELECT unnest($again::VARCHAR[]) AS report_id, unnest($again_stages::VARCHAR[]) AS stage) a
            ON a.report_id = l.report_id
        LEFT JOIN (SELECT report_id, arg_max(verdict, seq) AS verdict FROM said
            WHERE reviewer = $me AND role = 'vote' GROUP BY report_id) m ON m.report_id = l.report_id
        LEFT JOIN (SELECT DISTINCT coalesce(p.report_id, t.record_id) AS report_id FROM full_text t
            LEFT JOIN report p ON p.record_id = t.record_id WHERE t.review = $review) f ON f.report_id = l.report_id
        {ranked}
        WHERE l.review = $review AND {texts})"""
_RANKED = "LEFT JOIN rank r ON r.review = l.review AND r.report_id = l.report_id"
# `missed`: the facet whose choice does not hold; more than one such, and no count is about the row.
_CHOSEN = """
    chosen AS MATERIALIZED (SELECT *, {missed} AS missed FROM found WHERE {misses} <= 1)"""


def ask(con: Connection, review: str, question: Question, eyes: Eyes) -> Answer:
    """The answer for this person, in one question to the database."""
    shown = facets_of(eyes)
    chosen = {key: values for key, values in question.chosen.items() if values and key in shown}
    values: dict[str, object] = _values(review, eyes)
    texts = [_text(number, term, values) for number, term in enumerate(question.terms)]
    holds = {
        key: _holds(key, number, values, some) for number, (key, some) in enumerate(chosen.items())
    }
    parts = [
        *_tables(eyes),
        _FOUND.format(
            texts=" AND ".join(texts) or "true",
            rank="r.place" if question.sort == "rank" else "NULL",
            ranked=_RANKED if question.sort == "rank" else "",
        ),
        _CHOSEN.format(
            misses=" + ".join(f"(NOT {one})::INTEGER" for one in holds.values()) or "0",
            missed=_missed(holds),
        ),
    ]
    sort = SORTS[question.sort]
    answers = [_counted(key) for key in shown]
    answers.append("SELECT 'total', '', count(*) FROM chosen WHERE missed = ''")
    answers.append(
        f"""SELECT 'row', report_id, row_number() OVER (ORDER BY {sort}) FROM (SELECT * FROM chosen WHERE missed = ''
            ORDER BY {sort} LIMIT $limit OFFSET $offset)"""  # noqa: S608
    )
    sql = f"WITH {', '.join(parts)} {' UNION ALL '.join(answers)}"
    values |= {"limit": question.limit, "offset": question.offset}
    return _answer(con.execute(sql, _needed(sql, values)).fetchall(), shown)


def facets_of(eyes: Eyes) -> tuple[str, ...]:
    """The facets that this person has."""
    hidden: tuple[str, ...] = ()
    if not eyes.everything:
        hidden += FOR_ALL_SEEING
    if eyes.own_only and not eyes.everything:
        hidden += FOR_LEADS
    return tuple(key for key in FACETS if key not in hidden)


def _values(review: str, eyes: Eyes) -> dict[str, object]:
    values: dict[str, object] = {
        "review": review,
        "me": eyes.me,
        "everything": eyes.everything,
        "again": list(eyes.again),
        "again_stages": list(eyes.again.values()),
    }
    if eyes.everything:
        values["voters"] = list(eyes.voters)
    elif not eyes.own_only:
        values["takes_votes"] = list(TAKES_VOTES)
    return values


def _needed(sql: str, values: Mapping[str, object]) -> dict[str, object]:
    """The values that a question asks for; DuckDB refuses others."""
    names = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in values.items() if name in names}


def _visible(eyes: Eyes) -> str:
    """Which decisions this person may see; as `blindness.visible`, and none of others' for a
    reviewer.
    """
    if eyes.everything:
        return "true"
    if eyes.own_only:
        return "d.reviewer = $me"
    return "(d.reviewer = $me OR d.stage <> s.stage OR NOT list_contains($takes_votes::VARCHAR[], s.state))"


def _tables(eyes: Eyes) -> list[str]:
    return [_SAID.format(visible=_visible(eyes)), _TAGGED, _RELATED, _WORDS.format()]


def _text(number: int, term: Term, values: dict[str, object]) -> str:
    """The condition that a term is."""
    if term.field == "year":
        condition = _span(number, term, values)
    elif term.field in ("note", "tag"):
        condition = _in_words(number, term, values, f"kind = '{term.field}' AND ")
    elif term.field in _FIELD_COLUMNS:
        condition = _contains(number, _FIELD_COLUMNS[term.field], term, values)
    elif term.field in _FIELD_VALUES:
        values[f"t{number}"] = term.words
        condition = f"list_contains({_FIELD_VALUES[term.field]}, $t{number})"
    else:
        text = _contains(number, "l.w_text", term, values)
        condition = f"{text} OR {_in_words(number, term, values, '')}"
    return f"({condition})" if term.wanted else f"NOT ({condition})"


_FIELD_COLUMNS = {
    "title": "l.w_title",
    "author": "l.w_authors",
    "journal": "l.w_journal",
    "id": "l.w_ids",
    "abstract": "substr(l.w_text, l.abstract_at)",
}
_FOLDED = r"regexp_replace(lower(strip_accents({name})), '[^\p{{L}}\p{{N}}]+', ' ', 'g')"
_FIELD_VALUES = {
    "source": f"list_transform(l.sources, lambda x: {_FOLDED.format(name='x')})",
    "search": f"list_transform(l.searches, lambda x: {_FOLDED.format(name='x')})",
    "type": f"[{_FOLDED.format(name='l.type')}]",
    "language": f"[{_FOLDED.format(name='l.language')}]",
}


def _contains(number: int, column: str, term: Term, values: dict[str, object]) -> str:
    """That a column has the words.

    Nearly every second word begins after a space, so a search that begins with one stops
    everywhere: the word alone is looked for first.
    """
    values[f"n{number}"] = term.needle
    if column != "l.w_text":
        return f"contains({column}, $n{number})"
    values[f"w{number}"] = term.words
    return f"(contains({column}, $w{number}) AND contains({column}, $n{number}))"


def _in_words(number: int, term: Term, values: dict[str, object], of: str) -> str:
    values[f"n{number}"] = term.needle
    return f"l.report_id IN (SELECT report_id FROM words WHERE {of}contains(text, $n{number}))"  # noqa: S608


def _span(number: int, term: Term, values: dict[str, object]) -> str:
    values[f"a{number}"] = term.first if term.first is not None else -1
    values[f"z{number}"] = term.last if term.last is not None else 9999
    return f"coalesce(l.year BETWEEN $a{number} AND $z{number}, false)"


def _holds(key: str, number: int, values: dict[str, object], some: Sequence[str]) -> str:
    """The condition that one of the chosen values of a facet is."""
    values[f"f{number}"] = list(some)
    if key in _ONE:
        return f"list_contains($f{number}::VARCHAR[], {_ONE[key]})"
    if key in _LISTS:
        return f"list_has_any({_LISTS[key]}, $f{number}::VARCHAR[])"
    return f"""(report_id IN (SELECT report_id FROM ({_MANY[key]})
        WHERE list_contains($f{number}::VARCHAR[], value)))"""  # noqa: S608


def _missed(holds: Mapping[str, str]) -> str:
    if not holds:
        return "''"
    cases = " ".join(f"WHEN NOT {condition} THEN '{key}'" for key, condition in holds.items())
    return f"CASE {cases} ELSE '' END"


def _counted(key: str) -> str:
    rows = f"(SELECT * FROM chosen WHERE missed IN ('', '{key}'))"  # noqa: S608
    if key in _ONE:
        return f"SELECT '{key}' AS facet, {_ONE[key]} AS value, count(*) AS reports FROM {rows} GROUP BY ALL"  # noqa: S608
    if key in _LISTS:
        values = f"SELECT unnest({_LISTS[key]}) AS value FROM {rows}"  # noqa: S608
        return f"SELECT '{key}' AS facet, value, count(*) AS reports FROM ({values}) GROUP BY ALL"  # noqa: S608
    return f"""SELECT '{key}' AS facet, x.value AS value, count(*) AS reports
        FROM {rows} c JOIN ({_MANY[key]}) x ON x.report_id = c.report_id GROUP BY ALL"""  # noqa: S608


def _answer(rows: Sequence[tuple[Any, ...]], shown: Sequence[str]) -> Answer:
    total = 0
    reports: list[tuple[int, str]] = []
    facets: dict[str, list[tuple[str, int]]] = {key: [] for key in shown}
    for kind, value, number in rows:
        if kind == "total":
            total = number
        elif kind == "row":
            reports.append((number, value))
        else:
            facets[kind].append((value, number))
    ordered = {
        key: tuple(sorted(some, key=lambda one: (-one[1], one[0]))) for key, some in facets.items()
    }
    return Answer(total, tuple(report for _, report in sorted(reports)), ordered)


@dataclass(frozen=True, slots=True)
class Row:
    """What the table shows of a report.

    Attributes:
        votes: The decisions that may be seen, oldest first, as `standings.in_force` gives them.
        tags: Its tags, by name.
    """

    report_id: str
    title: str | None
    authors: tuple[str, ...]
    journal: str | None
    year: int | None
    type: str | None
    language: str | None
    doi: str | None
    retraction: str | None
    sources: tuple[str, ...]
    searches: tuple[str, ...]
    records: int
    has_abstract: bool
    found: datetime
    stage: str
    state: str
    has_pdf: bool
    votes: tuple[Mapping[str, Any], ...] = ()
    tags: tuple[Tag, ...] = ()


_ROW_FIELDS = tuple(one.name for one in fields(Row) if one.name not in ("votes", "tags"))
_ROWS = """
    SELECT l.report_id, l.title, l.authors, l.journal, l.year, l.type, l.language, l.doi, l.retraction, l.sources, l.searches,
        l.records, l.has_abstract, l.found, s.stage, s.state, f.report_id IS NOT NULL
    FROM listing l JOIN screening_state s ON s.review = l.review AND s.report_id = l.report_id
    LEFT JOIN (SELECT DISTINCT coalesce(p.report_id, t.record_id) AS report_id FROM full_text t
        LEFT JOIN report p ON p.record_id = t.record_id WHERE t.review = $review) f ON f.report_id = l.report_id
    WHERE l.review = $review AND l.report_id IN (SELECT unnest($reports::VARCHAR[]))"""


def rows(con: Connection, review: str, reports: Sequence[str], eyes: Eyes) -> list[Row]:
    """What the table shows of these reports, in this order; questions do not grow with them."""
    if not reports:
        return []
    asked = {"review": review, "reports": list(reports)}
    plain = {row[0]: _row(row) for row in con.execute(_ROWS, asked).fetchall()}
    votes = _votes(con, review, reports)
    named = tags.on_reports(con, review, reports)
    called = tags.called(con, review)
    shown = []
    for report in reports:
        if report not in plain:
            continue
        row = plain[report]
        seen = visible(votes.get(report, []), row.stage, row.state, report, eyes)
        words = {word for vote in seen for word in vote["tags"] or ()}
        labels = {*named.get(report, ()), *(called.get(word.lower(), Tag(word)) for word in words)}
        shown.append(
            replace(
                row,
                stage=eyes.again.get(report, row.stage),
                state="open" if report in eyes.again else _state(row.state, eyes),
                votes=tuple(seen),
                tags=tuple(sorted(labels, key=lambda tag: tag.name.lower())),
            )
        )
    return shown


def _state(state: str, eyes: Eyes) -> str:
    return blindness.state_shown(state, None if eyes.everything else eyes.me)


def visible(
    votes: Sequence[Mapping[str, Any]], stage: str, state: str, report: str, eyes: Eyes
) -> list[Mapping[str, Any]]:
    """The decisions on a report that this person may see."""
    if report in eyes.again:
        return []
    if eyes.own_only and not eyes.everything:
        return [vote for vote in votes if vote["reviewer"] == eyes.me]
    return blindness.visible(votes, stage, state, None if eyes.everything else eyes.me)


def _votes(con: Connection, review: str, reports: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Every decision in force on these reports, oldest first, by report."""
    where, values = standings.chosen(reports)
    members = dict(
        con.execute(
            f"SELECT record_id, report_id FROM report WHERE report_id {where}",  # noqa: S608
            values,
        ).fetchall()
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for vote in standings.in_force(con, {*members, *reports}):
        if vote["review"] == review:
            found.setdefault(members.get(vote["record_id"], vote["record_id"]), []).append(vote)
    return found


def _row(row: tuple[Any, ...]) -> Row:
    lists = ("authors", "sources", "searches")
    named = dict(zip(_ROW_FIELDS, row, strict=True))
    values: dict[str, Any] = {
        key: tuple(value) if key in lists else value for key, value in named.items()
    }
    return Row(**values)


def all_reports(con: Connection, review: str, question: Question, eyes: Eyes) -> tuple[str, ...]:
    """The reports of the whole view, in its order."""
    whole = Question(question.terms, question.chosen, question.sort, 0, 10_000_000)
    return ask(con, review, whole, eyes).reports
