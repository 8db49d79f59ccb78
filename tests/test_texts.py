"""Texts that people write have lengths and characters that are allowed.

Tables for people never hold a formula.
"""

from __future__ import annotations

import ast
import csv
import inspect
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from livereview import cells, ops, review_toml, texts
from livereview.errors import Refused
from livereview.evidence import checks
from livereview.exchange import write
from livereview.ops import surveil, typed
from livereview.review_toml import limits
from livereview.store.open import Store
from livereview.summary import tables
from tests.conftest import NOW, REVIEW

ROOT = Path(__file__).resolve().parents[1]
HIDDEN = {
    "NUL": "\0",
    "CARRIAGE RETURN": "\r",
    "NEXT LINE": "\x85",
    "LINE SEPARATOR": "\u2028",
    "PARAGRAPH SEPARATOR": "\u2029",
    "RIGHT-TO-LEFT OVERRIDE": "\u202e",
    "LEFT-TO-RIGHT ISOLATE": "\u2066",
    "SOFT HYPHEN": "\u00ad",
    "ZERO WIDTH SPACE": "\u200b",
    "ZERO WIDTH NO-BREAK SPACE": "\ufeff",
    "HANGUL FILLER": "\u3164",
    "TAG LATIN SMALL LETTER A": "\U000e0061",
}


def _with(document: str, line: str, value: str) -> tuple[str, int]:
    """The protocol with another value in the first line that begins so, and that line's number."""
    rows = document.split("\n")
    at = next(number for number, row in enumerate(rows) if row.startswith(line))
    escaped = "".join(
        letter if " " <= letter <= "~" else f"\\U{ord(letter):08x}" for letter in value
    )
    rows[at] = f'{line}"{escaped}"'
    return "\n".join(rows), at + 1


@pytest.mark.parametrize(
    "key", ["title = ", "licence = ", "population = ", "label = ", "platform = ", "query = "]
)
@pytest.mark.parametrize("name", HIDDEN)
def test_what_cannot_be_seen_is_refused_by_line_in_every_key_of_a_protocol(
    protocol: str, key: str, name: str
) -> None:
    if f"\n{key}" not in protocol:
        pytest.skip(f"the small review has no {key}")
    text, number = _with(protocol, key, f"Care {HIDDEN[name]} leavers")

    with pytest.raises(Refused) as refusal:
        review_toml.parse(text)

    (line,) = [row for row in refusal.value.message.splitlines() if f"line {number}:" in row]
    assert f"({name})" in line
    assert HIDDEN[name] not in refusal.value.message


@pytest.mark.parametrize(
    ("key", "length"), [("title = ", 2_000_000), ("label = ", 301), ("population = ", 5_001)]
)
def test_a_text_that_is_too_long_is_refused_by_line(protocol: str, key: str, length: int) -> None:
    text, number = _with(protocol, key, "a" * length)

    with pytest.raises(
        Refused, match=rf"line {number}: .*has {length:,} characters; at most "
    ) as refusal:
        review_toml.parse(text)

    assert len(refusal.value.message) < 1_000


def test_new_lines_stay_where_a_text_may_have_several(protocol: str) -> None:
    text, _ = _with(protocol, "population = ", "Young people\nwho leave\tcare")
    assert "\n" in review_toml.parse(text).question.population

    text, number = _with(protocol, "title = ", "Young people\nwho leave care")
    with pytest.raises(Refused, match=rf"line {number}: title: holds U\+000A \(NEW LINE\)"):
        review_toml.parse(text)


def test_a_file_beyond_all_measure_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refused, match="at most 5,000,000"):
        review_toml.parse("#" * (limits.LONGEST_FILE + 1))


def test_a_protocol_that_was_accepted_before_the_limits_still_opens(
    store: Store, protocol: str
) -> None:
    text, _ = _with(protocol, "title = ", "Care \u202e leavers")

    assert "\u202e" in review_toml.parse(text, accepted=True).title
    with pytest.raises(Refused, match="RIGHT-TO-LEFT OVERRIDE"):
        surveil.register(store, text=text, now=NOW)


@pytest.mark.parametrize(
    "words",
    ["Zoë's café – ‘quotes’", "दिल", "می‌خواهم", "👩‍👩‍👧", "Ελλάδα", "น้ำ", "日本語", "עברית"],
)
def test_every_script_may_be_written(words: str) -> None:
    assert texts.problem(words, 100) is None
    assert texts.clean(words) == words


@given(st.text())
def test_what_was_cleaned_may_stand(text: str) -> None:
    for several in (False, True):
        once = texts.clean(text, several)
        assert texts.problem(once, len(once), several) is None
        assert texts.clean(once, several) == once


def test_what_people_type_is_cleaned_in_one_place(reviewed: Store) -> None:
    assert typed.text("note", "a\r\nb\u202ec\0\u2028d") == "a\nbc\nd"
    assert typed.text("label", "a\nb") == "a b"
    with pytest.raises(Refused, match=r"the note has 5,001 characters; at most 5,000"):
        ops.stopping.read_on(reviewed, id="x", review=REVIEW, by="lena", note="a" * 5_001, now=NOW)


TAKE_TEXT = (
    *(
        ops.screen.decide,
        ops.screen.judge,
        ops.evidence.extract,
        ops.evidence.group,
        ops.evidence.rate,
    ),
    *(
        ops.retirement.propose,
        ops.retirement.vote,
        ops.withdraw.withdraw,
        ops.withdraw.take_back,
        ops.tips.suggest,
    ),
    *(
        ops.team.add_account,
        ops.team.add_token,
        ops.tasks.settle_task,
        ops.stopping.read_on,
        ops.publish.sign,
    ),
)


@pytest.mark.parametrize("use_case", TAKE_TEXT, ids=lambda one: one.__qualname__)
def test_each_use_case_that_takes_text_is_typed(use_case: object) -> None:
    assert getattr(use_case, "typed", False)


def test_no_use_case_takes_a_note_past_the_rule() -> None:
    # of flows, about their own work
    machines = {"ingest", "note_delivery", "end_run", "lose_night", "note_night"}
    free = {
        command.operation
        for command, use_case in ops.USE_CASES.items()
        if {"note", "reason", "tags"} & set(inspect.signature(use_case).parameters)
        and not getattr(use_case, "typed", False)
    }
    assert free <= machines


def test_a_form_of_evidence_says_where_its_text_is_too_long() -> None:
    with pytest.raises(ValueError, match="at most 10,000"):
        checks._text("a" * 10_001)
    assert checks._text("a\u00adb \u202ec") == "ab c"


# Tables.

STARTS = ["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠", "|", "%", " =", "\n="]


@pytest.mark.parametrize("start", STARTS)
def test_headings_are_guarded_like_cells(start: str) -> None:
    heading = f"{start}HYPERLINK(1)"
    ours = write.as_csv([heading], [{heading: heading}]).decode("utf-8-sig")
    public = tables.table([heading], [[heading]]).decode()

    for text in (ours, public):
        for row in csv.reader(io.StringIO(text, newline="")):
            assert row[0].startswith("'"), row
    book = load_workbook(io.BytesIO(write.as_xlsx([heading], [{heading: heading}], NOW)))
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} == {"s"}


@given(st.text() | st.text("'=+-@1e. a\n", max_size=12))
def test_what_was_guarded_comes_back(text: str) -> None:
    guarded = cells.guarded(text)
    assert guarded.lstrip(" \n")[:1] not in set(cells.FORMULA_STARTS) or guarded == text
    assert cells.unguarded(guarded) == text


@pytest.mark.parametrize("number", ["-1", "+2.5", "-0.3e-4", "10"])
def test_a_number_stays_one(number: str) -> None:
    assert cells.guarded(number) == number


def test_nobody_writes_a_table_past_the_guard() -> None:
    # the latter for its own parser
    machines = {"livereview/cells.py", "livereview/sources/retractionwatch.py"}
    writers = set()
    for path in sorted((ROOT / "livereview").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "csv.writer",
                "csv.DictWriter",
            ):
                writers.add(str(path.relative_to(ROOT)))
            if isinstance(node, ast.Name) and node.id == "Workbook":
                writers.add(str(path.relative_to(ROOT)))
    assert writers - machines == {"livereview/exchange/write.py"}
