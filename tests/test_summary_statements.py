"""The team's own words have a place each, and say when the evidence has moved on since they were
written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from livereview import review_toml
from livereview.errors import Refused
from livereview.evidence.forms import Cost, EmmieFinding, Extraction
from livereview.ops import evidence, publish, surveil, tasks
from livereview.review import SLOTS, Base, Code, Configuration, Statement
from livereview.store.open import Store
from livereview.summary import site
from livereview.summary.snapshot import Snapshot
from tests.conftest import NOW, REVIEW, article, found
from tests.snapshots import MOMENT, published, result, review, snapshot, study
from tests.test_ops import form, include

BEFORE, AFTER = MOMENT - timedelta(days=30), MOMENT - timedelta(days=2)
TRUST = EmmieFinding("mechanism", "Trust grows.")


def shown(
    statement: Statement, *forms: Extraction, written: Any = BEFORE, came: Any = AFTER
) -> dict[str, Any]:
    """The statement as a version shows it, where each study came at this moment."""
    known = {form.study: ("3", 1, came) for form in forms}
    snap = snapshot(
        *forms,
        review=review(statements=(statement,)),
        extracted=known,
        written={statement.id: written},
    )
    (told,) = json.loads(site.build(snap, 1, "x").summary)["statements"]
    return dict(told)


@pytest.mark.parametrize("slot", SLOTS)
def test_every_place_of_a_statement_is_published(slot: str) -> None:
    files = site.build(
        snapshot(review=review(statements=(Statement("s", slot, "What we say."),))), 1, "x"
    ).files
    page = "methods.html" if slot == "methods" else "index.html"
    assert "What we say." in files[page].decode()


@pytest.mark.parametrize(
    ("statement", "form", "outdated"),
    [
        (Statement("s", "answer", "We can't say."), study("a", result()), True),
        (Statement("s", "mechanism", "By trust."), study("a", result()), False),
        (Statement("s", "mechanism", "By trust."), study("a", findings=(TRUST,)), True),
        (
            Statement("s", "economics", "Not known."),
            study("a", costs=(Cost("training", 9, "GBP"),)),
            True,
        ),
        (Statement("s", "background", "It is old."), study("a", result()), False),
        (Statement("s", "limits", "Thin.", studies=("a",)), study("a", result()), True),
        (Statement("s", "limits", "Thin.", findings=("main/well",)), study("a", result()), True),
        (Statement("s", "limits", "Thin.", findings=("main/care",)), study("a", result()), False),
        (
            Statement("s", "explanations", "Poorly tried.", against=("a",)),
            study("a", result()),
            True,
        ),
    ],
)
def test_newer_evidence_marks_what_rests_on_it(
    statement: Statement, form: Extraction, outdated: bool
) -> None:
    told = shown(statement, form)
    assert (told["outdated_display"] is not None) == outdated
    assert shown(statement, form, came=BEFORE - timedelta(days=1))["outdated_display"] is None


def test_the_mark_says_when_it_was_read_and_goes_when_the_team_has_read_it_again() -> None:
    plain = Statement("s", "answer", "We can't say.")
    told = shown(plain, study("a", result()))
    assert (
        told["outdated_display"]
        == "Written before 1 study came or changed; last read on 1 February 2026."
    )
    assert (
        shown(replace(plain, checked="2026-03-02"), study("a", result()))["outdated_display"]
        is None
    )


def test_a_day_of_review_that_passed_is_told() -> None:
    due = Statement("s", "background", "It is old.", review_by="2026-03-01")
    assert (
        shown(due)["outdated_display"]
        == "Was to be read again by 1 March 2026; last read on 1 February 2026."
    )
    assert shown(replace(due, review_by="2026-03-09"))["outdated_display"] is None


def test_an_explanation_has_its_standing_with_what_is_for_and_against_it() -> None:
    said = (
        Statement("e1", "explanations", "Poorly tried.", standing="plausible", supports=("a",)),
        Statement("e2", "explanations", "It can't work.", standing="ruled_out", against=("a", "b")),
    )
    page = site.build(snapshot(review=review(statements=said)), 1, "x").files["index.html"].decode()
    assert "1 explanation that stands" in page
    assert "<strong>ruled out</strong>" in page
    assert "For it: no study. Against it: a (not in this review); b (not in this review)." in page


def test_an_explanation_without_a_standing_or_without_a_study_against_it_says_so() -> None:
    said = (
        Statement("e1", "explanations", "Poorly tried."),
        Statement("e2", "explanations", "It can't work.", standing="ruled_out"),
    )
    page = site.build(snapshot(review=review(statements=said)), 1, "x").files["index.html"].decode()
    assert "<strong>not weighed yet</strong>" in page
    assert "<strong>ruled out, though no study is named against it</strong>" in page


def test_a_standing_is_for_explanations_only() -> None:
    text = review_toml.template().replace('under = "explanations"', 'under = "limits"', 1)
    with pytest.raises(Refused, match="standing: is for rival explanations"):
        review_toml.parse(text)


def test_since_when_a_statement_stands_is_known_by_the_protocols(
    reviewed: Store, protocol: str, tmp_path: Any
) -> None:
    block = '\n[[statements]]\nid = "s"\nunder = "answer"\ntext = "{}"\n'
    for day, text in enumerate(("One.", "One.", "Two."), start=1):
        surveil.register(
            reviewed, text=protocol + block.format(text) + f"# {day}", now=NOW + timedelta(days=day)
        )
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW + timedelta(days=9))
    summary = json.loads((tmp_path / REVIEW / "latest" / "summary.json").read_text("utf-8"))
    assert summary["statements"][0]["read"] == "2026-03-05T09:00:00Z"


def test_a_study_that_left_after_the_words_were_read_marks_them_and_one_that_never_came_is_told() -> (
    None
):
    forms = (study("a", result()), study("b", result()))
    first = site.build(snapshot(*forms), 1, "x")
    old = published(first, 1, BEFORE - timedelta(days=1))

    def outdated(statement: Statement, *now: Extraction) -> Any:
        snap = snapshot(
            *now, review=review(statements=(statement,)), history=(old,), written={"s": BEFORE}
        )
        return json.loads(site.build(snap, 2, "x").summary)["statements"][0]["outdated_display"]

    left = "Written before 1 study left the review; last read on 1 February 2026."
    assert outdated(Statement("s", "limits", "Thin.", studies=("b",)), forms[0]) == left
    assert outdated(Statement("s", "answer", "We can't say."), forms[0]) == left
    assert outdated(Statement("s", "limits", "Thin.", studies=("a",)), forms[0]) is None
    never = Statement("s", "limits", "Thin.", studies=("x",))
    assert outdated(never, *forms) == "Cites 1 study that is not in this review."


# Configurations


WHERE = Configuration(
    "time",
    "Where workers have time",
    "Trust grows",
    "Plans are made together",
    "Interviews",
    "New families",
    ("a",),
    ("b",),
)


def configured(came: Any = AFTER, **changes: Any) -> site.Build:
    forms = (study("a", result()), study("b", result()))
    snap = snapshot(
        *forms,
        review=review(configurations=(replace(WHERE, **changes),)),
        extracted={form.study: ("3", 1, came) for form in forms},
        written={"configuration:time": BEFORE},
    )
    return site.build(snap, 1, "x")


def test_a_configuration_is_published_with_its_parts_and_its_studies() -> None:
    build = configured()
    summary, page = json.loads(build.summary), build.files["index.html"].decode()
    jsonschema.validate(summary, json.loads(build.files["summary.schema.json"]))
    (row,) = summary["configurations"]
    assert (row["supports"], row["against_display"]) == (["a"], "B")
    for words in (
        "Where workers have time",
        "Trust grows",
        "Plans are made together",
        "New families",
        "Interviews",
    ):
        assert words in page
    assert (
        "none"
        in site.build(
            snapshot(review=review(configurations=(replace(WHERE, supports=()),))), 1, "x"
        )
        .files["index.html"]
        .decode()
    )


def test_a_configuration_is_marked_when_the_studies_it_cites_change() -> None:
    told = "Written before 2 studies came or changed; last read on 1 February 2026."
    build = configured()
    assert json.loads(build.summary)["configurations"][0]["outdated_display"] == told
    assert told in build.files["index.html"].decode()
    before = configured(BEFORE - timedelta(days=1))
    assert json.loads(before.summary)["configurations"][0]["outdated_display"] is None
    assert before.content_hash != build.content_hash, "the mark is news"
    elsewhere = configured(supports=(), against=())
    assert json.loads(elsewhere.summary)["configurations"][0]["outdated_display"] is None


def test_a_configuration_and_an_explanation_cite_studies_of_the_review_only() -> None:
    text = review_toml.template()
    rules = review_toml.parse(text.replace("supports = []    ", 'supports = ["smith-2019"]', 1))
    review_toml.check_cited(rules, ())
    review_toml.check_cited(rules, ("smith-2019",))
    rows = text.split("\n")
    line = 1 + rows.index(next(row for row in rows if row.startswith("supports = []    ")))
    with pytest.raises(Refused) as refused:
        review_toml.check_cited(rules, ("smith-2018", "jones-2001"))
    assert refused.value.message == (
        f'review.toml line {line}: configurations[1].supports[1]: no study "smith-2019" in this review; '
        'its studies are jones-2001, smith-2018 — did you mean "smith-2018"?'
    )
    both = text.replace("supports = []    ", 'supports = ["a"]', 1).replace(
        "against = []    ", 'against = ["a"]', 1
    )
    with pytest.raises(Refused, match='"a" stands for it and against it'):
        review_toml.parse(both)


def test_a_configuration_that_evidence_left_behind_is_a_task_and_an_unknown_study_is_refused(
    reviewed: Store, protocol: str, tmp_path: Any
) -> None:
    """One world: a configuration, a study that comes after it, a study that is refused, words read
    again.
    """
    block = """
[[configurations]]
id = "c"
context = "x"
mechanism = "Trust grows"
outcome = "z"
evidence = "e"
supports = ["{}"]
{}
"""
    at = dict(zip("abcd", (NOW + timedelta(days=n) for n in range(4)), strict=True))
    surveil.register(reviewed, text=protocol + block.format("one", ""), now=at["a"])
    (record,) = found(reviewed, article(1))
    include(reviewed, record)
    evidence.extract(
        reviewed, id="x", review=REVIEW, data=form(study="one"), extractor="ada", now=at["b"]
    )

    def open_tasks(day: str) -> list[str]:
        publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=at[day])
        with reviewed.read() as con:
            return [task["data"]["why"] for task in tasks.open_tasks(con, [REVIEW])[REVIEW]]

    (why,) = open_tasks("b")
    assert why.startswith("Written before 1 study came or changed")
    with pytest.raises(Refused, match='no study "on" in this review; its studies are one'):
        surveil.register(reviewed, text=protocol + block.format("on", ""), now=at["c"])
    read = f"checked = {at['c']:%Y-%m-%d}"
    surveil.register(reviewed, text=protocol + block.format("one", read), now=at["c"])
    assert open_tasks("d") == []


# What it continues


def based() -> Snapshot:
    base = Base("Doe J. A review. 2018.", 2018, 38, "It found little to no evidence.", studies=None)
    return snapshot(review=review(base=base))


def test_a_review_that_continues_another_says_so_first() -> None:
    summary = json.loads(site.build(based(), 1, "x").summary)
    assert summary["answer"]["text"].startswith(
        "A review of 2018 read 38 publications. It found little to no evidence. No"
    )
    assert summary["base"]["publications"] == 38
    files = site.build(based(), 1, "x").files
    assert "A review of 2018 read 38 publications." in files["index.html"].decode()
    assert "Previous review: reports that it read" in files["methods.html"].decode()


# Codes


def test_barriers_are_grouped_by_code_with_counts() -> None:
    rules = review(codes=(Code("it", "Computer systems did not fit"), Code("staff", "Staff left")))
    barrier = EmmieFinding(
        "implementation", "The system did not fit.", polarity="barrier", code="it"
    )
    left = EmmieFinding("implementation", "Staff left.", polarity="barrier", code="staff")
    forms = (
        study("a", findings=(barrier, barrier, left)),
        study("b", findings=(barrier,)),
        study("c", result()),
    )
    build = site.build(snapshot(*forms, review=rules), 1, "x")
    (implementation,) = [
        one for one in json.loads(build.summary)["emmie"] if one["dimension"] == "implementation"
    ]
    assert [(row["label"], row["display"]) for row in implementation["codes"]] == [
        ("Computer systems did not fit", "2 of 3 studies"),
        ("Staff left", "1 of 3 studies"),
    ]
    assert (
        "Computer systems did not fit</strong>: 2 of 3 studies"
        in build.files["index.html"].decode()
    )


def test_a_cost_is_something_that_a_study_reports() -> None:
    form = study("a", costs=(Cost("training", 250_000, "GBP"),))
    (claim,) = [
        one
        for one in json.loads(site.build(snapshot(form), 1, "x").summary)["claims"]
        if one["id"] == "emmie:economics"
    ]
    assert claim["text"] == "The one study here reports on what it costs."
