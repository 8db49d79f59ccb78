"""What the first page shows: cards, short answer, plain-language summary, table of findings, forest."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from livereview.evidence import wording
from livereview.evidence.certainty import Rating
from livereview.evidence.finding import Absolute, Certainty, Estimate, Finding, StudyEffect, Votes
from livereview.evidence.forms import Cost
from livereview.summary import bars, findings_table, forest, glance, plain_summary, site, tables
from livereview.summary.snapshot import Snapshot
from tests import published_states
from tests.snapshots import CARE, result, review, snapshot, study

NO_VOTES = Votes(more=0, fewer=0, level=0, words_only=0, critical=0)


def absolute(risk: float, value: float) -> Absolute:
    return Absolute(
        risk=risk, risk_source="the trials", value=value, low=value - 20, high=value + 20
    )


def estimate(measure: str = "RR", value: float = 0.8, **fields: object) -> Estimate:
    null = 1.0 if measure in ("RR", "OR") else 0.0
    plain = {
        "measure": measure, "measure_label": "risk ratio", "null": null, "value": value,
        "low": value - 0.1, "high": value + 0.1, "studies": 2, "model": "random effects",
    }  # fmt: skip
    return Estimate.model_validate(plain | fields)


def finding(outcome: str = "care", state: str = "effect", **fields: object) -> Finding:
    plain = {
        "id": f"main/{outcome}", "comparison": "main", "comparison_label": "Mentoring, or nothing",
        "intervention": "mentoring", "comparator": "nothing", "outcome": outcome,
        "outcome_label": outcome.title(), "kind": "benefit", "better": "lower",
        "more": "more children enter care", "fewer": "fewer children enter care",
        "state": state, "why": "", "votes": NO_VOTES, "studies": (), "basis": "0",
    }  # fmt: skip
    if state == "effect":
        plain |= {"side": "fewer", "good": True, "size": "important", "estimate": estimate()}
    return Finding.model_validate(plain | fields)


def part(name: str, value: float, weight: float, **fields: object) -> StudyEffect:
    plain = {
        "study": name, "label": name.title(), "people": 100, "measured": "a scale", "measure": "RR",
        "value": value, "low": value - 0.1, "high": value + 0.1, "weight": weight, "chosen": "only",
    }  # fmt: skip
    return StudyEffect.model_validate(plain | fields)


def test_a_harm_always_has_a_card_and_stands_first() -> None:
    good = [finding(f"good{n}") for n in range(4)]
    harm = finding("harm", side="more", good=False)
    unmeasured = finding("sleep", "no_studies")

    cards = glance.main_outcomes([*good, unmeasured, harm])

    assert [card.outcome for card in cards] == ["harm", "good0", "good1", "good2", "good3"]


@pytest.mark.parametrize("state", glance.SAYING)
def test_what_says_something_has_a_card_however_many_there_are(state: str) -> None:
    many = [finding(f"o{n}", state) for n in range(9)]
    assert len(glance.main_outcomes(many)) == 9


def test_without_any_evidence_the_first_outcomes_have_cards() -> None:
    none = [finding(f"o{n}", "no_studies") for n in range(5)]
    assert [card.outcome for card in glance.main_outcomes(none)] == ["o0", "o1", "o2"]
    assert glance.main_outcomes([finding("o", "not_asked")]) == []


@pytest.mark.parametrize(
    ("state", "good", "kind", "tone"),
    [
        ("effect", True, "benefit", "good"),
        ("effect", False, "benefit", "bad"),
        ("effect", None, "cost", "level"),
        ("effect", True, "service_use", "level"),
        ("little_or_no_difference", None, "benefit", "level"),
        ("disagree", None, "benefit", "mixed"),
        ("too_little", None, "benefit", "lacking"),
        ("no_studies", None, "benefit", "lacking"),
        ("not_yet_assessed", None, "benefit", "lacking"),
    ],
)
def test_the_colour_of_a_card_says_what_its_words_say(
    state: str, good: bool | None, kind: str, tone: str
) -> None:
    assert glance.tone(finding("o", state, good=good, kind=kind)) == tone


@pytest.mark.parametrize(
    ("risk", "value", "both", "difference", "rest", "more"),
    [
        (620, 80, 62, 8, 30, True),
        (300, -120, 18, 12, 70, False),
        (4, -1, 0, 0, 100, False),  # the text tells what dots are too coarse for
        (990, 40, 99, 1, 0, True),
        (5, -30, 0, 0, 100, False),
    ],
)
def test_a_pictograph_has_a_hundred_dots(
    risk: float, value: float, both: int, difference: int, rest: int, more: bool
) -> None:
    picture = glance.pictograph(estimate(absolute=absolute(risk, value)))
    counted = [path.count("M") for path in (picture.both, picture.difference, picture.rest)]
    assert counted == [both, difference, rest] and picture.more is more
    assert "in every 1,000 without it" in picture.text


def test_the_short_answer_says_what_is_shown_and_counts_what_lacks() -> None:
    lacking = [finding(f"o{n}", "too_little") for n in range(4)]
    ((_, text),) = wording.brief([finding(), *lacking])
    assert text == (
        "So far, with mentoring, fewer children enter care than with nothing. "
        "On the other 4 outcomes there is too little evidence to say, or none was assessed yet."
    )
    ((_, text),) = wording.brief(lacking)
    assert text == (
        "We can't yet say if mentoring did better or worse than nothing on any of the 4 outcomes."
    )
    better = [finding(f"b{n}") for n in range(4)]
    ((_, text),) = wording.brief([*better, *lacking])
    assert text.startswith(
        "So far, with mentoring, fewer children enter care, fewer children enter care and fewer "
        "children enter care than with nothing. So far, with mentoring, fewer children"
    ), "three to a sentence"
    few = [finding(), *lacking[:2]]
    assert wording.brief(few) == wording.answers(few), "few are named"
    harm = finding("harm", side="more", good=False)
    ((_, text),) = wording.brief([finding(), harm, *lacking])
    assert text.startswith("So far, with mentoring, more children enter care")


def state(name: str) -> Snapshot:
    return published_states.states()[name][-1]


@pytest.mark.parametrize("name", ["pooled", "realist", "no-studies", "signs-of-safety", "retired"])
def test_the_plain_summary_keeps_its_length_its_headings_and_every_statement_has_a_place(
    name: str,
) -> None:
    made = site.draft(state(name), 1, "x")
    told = plain_summary.plain_summary(made.summary, made.evidence.findings)
    assert told.words <= plain_summary.MOST_WORDS
    assert [part.heading for part in told.parts] == [
        "Key messages",
        "What was looked at",
        "What was found",
        "How sure we are",
        "What this means for practice, policy and families",
        "How up to date this is",
    ]
    assert all(part.computed or part.team for part in told.parts)
    (files,) = site.files(made, "../")
    page = files["index.html"].decode() + files["methods.html"].decode()
    for statement in made.summary.statements:
        assert page.count(f'id="statement-{statement.id}"') == 1, statement.id


def test_the_table_of_findings_has_both_risks_their_interval_and_footnotes() -> None:
    sized = estimate(absolute=absolute(100, -20))
    reasons = ("lowered for risk of bias",)
    rated = finding(estimate=sized, certainty=Certainty(level="moderate", reasons=reasons))
    again = finding("home", certainty=Certainty(level="low", reasons=reasons))
    (table,) = findings_table.findings_tables([rated, again])
    first, second = table.rows
    assert (first.without, first.with_it, first.with_range) == ("100", "80", "60 to 100")
    assert (first.dots, first.certainty) == (3, "moderate")
    assert table.per_thousand and second.size and not second.without
    assert first.notes == ("a", "b") and second.notes == ("a",), "one footnote for one reason"
    assert dict(table.notes)["a"] == "Lowered for risk of bias."

    rows = findings_table.data([rated])
    row = dict(zip(findings_table.COLUMNS, rows[0], strict=True))
    assert row["risk_with_per_1000"] == 80 and row["certainty"] == "moderate"
    assert row["good"] == "yes" and row["follow_up_months_from"] is None
    assert tables.findings([rated]).csv.startswith(b"comparison,outcome,state")
    svg = findings_table.svg("main", table, "Mentoring")
    assert svg.count("<circle") == 8, "four dots for each of two ratings"
    words = " ".join(re.sub("<[^>]*>", " ", svg).split())
    assert "100 in every 1,000 without it, 80 with it" in words
    assert "From the living review “Mentoring”" in words


def test_footnotes_go_on_after_z() -> None:
    assert [findings_table.letter(n) for n in (0, 25, 26, 51, 52, 701, 702)] == [
        "a", "z", "aa", "az", "ba", "zz", "aaa",
    ]  # fmt: skip


def test_a_forest_has_studies_by_weight_inside_its_strip() -> None:
    parts = (part("a", 0.7, 20), part("b", 0.9, 80))
    pooled = finding(studies=parts, estimate=estimate(prediction_low=0.3, prediction_high=2.1))
    made = bars.forest(pooled, parts)
    assert [row.study.study for row in made.rows] == ["b", "a"]
    assert made.rows[0].bar.side > made.rows[1].bar.side
    drawn = [*(row.bar for row in made.rows), made.total.bar, made.prediction]
    for bar in drawn:
        assert bar is not None
        assert 0 <= bar.left <= bar.at <= bar.left + bar.width <= 100.01
    assert made.strip.important is None, "a difference per 1,000 has no place on a ratio's axis"
    assert all(0 <= tick.at <= 100 for tick in made.strip.ticks)


def test_the_picture_of_a_forest_has_what_the_page_s_table_has() -> None:
    parts = (part("a", 0.7, 20), part("b", 0.9, 80, people=None))
    drawn = forest.svg("care", "Care", finding(studies=parts, estimate=estimate(
        prediction_low=0.3, prediction_high=2.1)))  # fmt: skip
    words = " ".join(re.sub("<[^>]*>", " ", drawn).split())
    for text in ("Forest plot: Care", "RR (95% interval)", "95% prediction interval", "80%",
                 "All studies (2 studies)", "← Favours mentoring", "Favours nothing →"):  # fmt: skip
        assert text in words
    assert words.index("B –") < words.index("A 100"), "largest weight first"


@pytest.mark.parametrize(
    ("kind", "better", "left"),
    [
        ("benefit", "lower", "Favours mentoring"),
        ("benefit", "higher", "Favours nothing"),
        ("harm", "lower", "Favours mentoring"),
        ("cost", "lower", "Lower costs"),
        ("service_use", "lower", "Less use"),
    ],
)
def test_the_ends_of_an_axis_say_whom_it_favours(kind: str, better: str, left: str) -> None:
    assert bars.ends(finding(kind=kind, better=better))[0] == left


def test_a_rating_shows_as_dots_on_the_card_and_in_the_table() -> None:
    rated = Rating("grade", "main/care", "low", ())
    assert glance.dots(None) == 0 and rated.level in glance.LEVELS
    files = site.build(state("pooled"), 1, "x").files
    assert files["index.html"].decode().count("●●○○") == 2


def test_every_study_has_a_page_and_the_first_page_leads_to_it() -> None:
    files = site.build(state("realist"), 1, "x").files
    for name in ("a", "b", "c"):
        text = files[f"study-{name}.html"].decode()
        assert f'href="study-{name}.html"' in files["index.html"].decode()
        assert f'href="trace.html#study-{name}"' in text and "who was asked" in text
        assert "They left" in text and "USD" in text
    assert "findings.csv" in files and "summary-of-findings-main.svg" in files


def test_a_review_of_effects_only_has_no_card_for_costs() -> None:
    made = site.draft(snapshot(review=review(emmie=False)), 1, "x")
    assert glance.glance(made.summary, made.evidence.findings).cost is None
    costly = replace(state("realist"))
    made = site.draft(costly, 1, "x")
    card = glance.glance(made.summary, made.evidence.findings).cost
    assert card is not None and card.band == "low" and card.place == 1


@pytest.mark.parametrize(
    ("per", "figure"), [("young person", "USD 13,337 per young person"), (None, "")]
)
def test_an_only_cost_is_told_with_its_study_and_a_whole_budget_is_no_price(
    per: str | None, figure: str
) -> None:
    costly = study("a", costs=(Cost("All health services", 13337, "USD", per=per),))
    made = site.draft(snapshot(costly), 1, "x")
    card = glance.glance(made.summary, made.evidence.findings).cost
    assert card is not None
    assert card.figure == figure
    told = "All health services, as A reports it; no other study gives a cost."
    assert (card.text == told) is bool(figure)


def test_a_size_without_an_interval_is_no_interval_that_reaches_both_ways() -> None:
    """Minus 130 of 1,000 children, and nobody knows how exactly: it is not that it may be nothing."""
    bare = result("care", measure="RD per 1,000", effect=-130, n=None)
    (care, _) = site.draft(snapshot(study("a", bare)), 1, "x").evidence.findings
    assert care.state == "too_little"
    assert care.why == "one study gives a size, and nobody knows how exact it is"


@pytest.mark.parametrize("risk", [None, 30.0], ids=["unknown", "smaller than the difference"])
def test_a_difference_without_a_fitting_number_beside_it_is_never_told_as_two_risks(
    risk: float | None,
) -> None:
    """Forty fewer of nobody would be minus forty people."""
    care = replace(CARE, risk=risk, risk_source="an example" if risk else None)
    fewer = result("care", measure="RD per 1,000", effect=-40, ci_low=-60, ci_high=-20, n=900)
    build = site.build(snapshot(study("a", fewer), review=review(outcomes=(care,))), 1, "x")
    (finding,) = json.loads(build.summary)["findings"]
    assert finding["estimate"]["absolute"]["risk"] is None
    assert finding["absolute_display"] is None
    for name in ("index.html", "summary.json", "findings.csv", "summary-of-findings-main.svg"):
        text = build.files[name].decode()
        assert "without it, " not in text
        assert "-40 with it" not in text
    page = build.files["index.html"].decode()
    assert "40 fewer</b> in every 1,000 people (60 fewer to 20 fewer)" in page
