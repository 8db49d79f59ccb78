"""For whom: groups by the finding's own rule, their difference tested, and never told as more than
it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from math import exp, log, sqrt

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from livereview import review_toml
from livereview.errors import Refused
from livereview.evidence import (
    checked,
    checks,
    claims,
    finding_changes,
    forms,
    sheets,
    weigh,
    wording_checks,
)
from livereview.evidence.finding import Finding, Moderation
from livereview.evidence.forms import Extraction, Result
from livereview.ops.snapshot import read_form
from livereview.review import Methods, Moderator
from livereview.summary import data, model, study_facts
from livereview.summary.model import protocol
from livereview.summary.snapshot import Study
from livereview.web import extraction_form
from tests.evidence import CARE, SOS, WELLBEING, around, finding, review, smd, study

AGE = Moderator(
    "age",
    "Age",
    "category",
    "Older children speak up.",
    True,
    ("under 10", "10 and over"),
    better_for="10 and over",
)
DOSE = Moderator(
    "dose", "Dose", "number", "More may do more.", True, unit="session", better_for="high"
)
RANDOM, SYSTEMATIC, ALTERNATE = "random", "systematic", "alternate"
ALLOCATION = Moderator(
    "allocation", "Allocation", "category", "Chance balances.", True, (RANDOM, SYSTEMATIC)
)

# BCG vaccine and tuberculosis, 13 trials: Colditz and others, JAMA 1994;271:698-702. Events and
# people of each group, latitude, allocation.
TRIALS = (
    (4, 123, 11, 139, 44, RANDOM),
    (6, 306, 29, 303, 55, RANDOM),
    (3, 231, 11, 220, 42, RANDOM),
    (62, 13598, 248, 12867, 52, RANDOM),
    (33, 5069, 47, 5808, 13, ALTERNATE),
    (180, 1541, 372, 1451, 44, ALTERNATE),
    (8, 2545, 10, 629, 19, RANDOM),
    (505, 88391, 499, 88391, 13, RANDOM),
    (29, 7499, 45, 7277, 27, RANDOM),
    (17, 1716, 65, 1665, 42, SYSTEMATIC),
    (186, 50634, 141, 27338, 18, SYSTEMATIC),
    (5, 2498, 3, 2341, 33, SYSTEMATIC),
    (27, 16913, 29, 17854, 33, SYSTEMATIC),
)


def trial(n: int, a: int, n1: int, c: int, n2: int, latitude: float, allocation: str) -> Extraction:
    y, v = log(a / n1 / (c / n2)), 1 / a - 1 / n1 + 1 / c - 1 / n2
    half = 1.959963984540054 * sqrt(v)
    result = Result(
        "care",
        "entry",
        measure="RR",
        effect=exp(y),
        ci_low=exp(y - half),
        ci_high=exp(y + half),
        n=n1 + n2,
    )
    noted: dict[str, str | float] = {"dose": latitude}
    if allocation != ALTERNATE:
        noted["allocation"] = allocation
    return study(f"t{n:02}", result, characteristics=noted)


BCG = [trial(n, *row) for n, row in enumerate(TRIALS)]
AS_Z = Methods(test="z")


def asked(
    moderator: Moderator, forms_: Sequence[Extraction], *others: Moderator, methods: Methods = AS_Z
) -> Moderation:
    protocol = review(CARE, moderators=(moderator, *others), methods=methods)
    return checked.findings(protocol, forms_)[0].moderators[0]


def parted(name: str, young: float, old: float, spread: float = 0.3, **more: object) -> Extraction:
    """A study that reports both ages apart, and all its people together."""
    return study(
        name,
        around((young + old) / 2, spread / 1.4, n=900),
        around(young, spread, n=400, subgroup="young", subgroup_is={"age": "under 10"}),
        around(old, spread, n=500, subgroup="old", subgroup_is={"age": "10 and over"}),
        participants=900,
        **more,
    )


# Groups


def test_groups_and_the_test_between_them_are_those_of_metafor() -> None:
    by = asked(ALLOCATION, BCG)
    sizes = {group.value: log(group.estimate.value) for group in by.groups if group.estimate}
    # rma(subset = alloc == "random")
    assert sizes[RANDOM] == pytest.approx(-0.970964704263089, rel=1e-7)
    assert sizes[SYSTEMATIC] == pytest.approx(-0.424207391510872, rel=1e-7)
    apart = (-0.970964704263089 + 0.424207391510872) ** 2
    assert by.q == pytest.approx(apart / (0.27595610297277**2 + 0.359745232433124**2), rel=1e-6)
    assert (by.df, by.unknown, by.within, by.credibility) == (1, 2, 0, "not_seen")
    assert [group.studies for group in by.groups] == [7, 4]
    assert [group.people for group in by.groups] == [
        sum(r[1] + r[3] for r in TRIALS if r[5] == g) for g in (RANDOM, SYSTEMATIC)
    ]
    some = finding(CARE, *BCG, moderators=(ALLOCATION,), methods=AS_Z)
    told = wording_checks.moderation(some, by)
    assert told.startswith(
        "No clear difference was seen (test of interaction: Q 1.45 on 1 df, p = 0.23)."
    )
    assert "no proof that it works the same" in told
    assert told.endswith("Nothing is known of 2 studies.")
    assert all(group.estimate and group.estimate.absolute for group in by.groups)


def test_a_study_that_parts_its_people_is_not_counted_whole_as_well() -> None:
    by = asked(
        AGE, [parted("a", 0.9, 0.5), parted("b", 0.9, 0.5), study("c", around(0.6, 0.3, n=70))]
    )
    assert [(group.studies, group.people) for group in by.groups] == [(2, 800), (2, 1000)]
    assert (by.within, by.unknown) == (2, 1)
    weights = [1 / (0.3 / 1.959963984540054) ** 2] * 2
    error = sqrt(1 / sum(weights))
    assert by.q == pytest.approx((log(0.9) - log(0.5)) ** 2 / (2 * error**2), rel=1e-6)


def test_the_answer_itself_does_not_change_when_it_is_asked_for_whom() -> None:
    some = [parted("a", 0.9, 0.5), parted("b", 0.9, 0.5)]
    with_it = finding(CARE, *some, moderators=(AGE,))
    assert with_it.model_copy(update={"moderators": ()}) == finding(CARE, *some)
    assert "moderators" not in finding(CARE, *some).model_dump()


def test_a_study_of_one_group_stands_in_that_group_alone() -> None:
    old = study("c", around(0.6, 0.3, n=70), characteristics={"age": "10 and over"})
    by = asked(AGE, [parted("a", 0.9, 0.5), old])
    assert [(group.studies, group.people) for group in by.groups] == [(1, 400), (2, 570)]


def test_studies_about_the_same_people_or_too_biased_stand_in_no_group() -> None:
    twice = [
        study("a", around(0.6, 0.2), characteristics={"age": "under 10"}),
        study("b", around(0.6, 0.3, n=90), characteristics={"age": "10 and over"}, overlaps=("a",)),
        study(
            "c", around(0.6, 0.3), characteristics={"age": "10 and over"}, risk_of_bias="critical"
        ),
        study("d", around(0.6, 0.3), characteristics={"age": "10 and over"}),
    ]
    by = asked(AGE, twice)
    assert [group.studies for group in by.groups] == [1, 1]


def test_one_group_alone_is_not_tested() -> None:
    some = [study(name, around(0.6, 0.3), characteristics={"age": "under 10"}) for name in "abc"]
    by = asked(AGE, some)
    assert (by.credibility, by.q, by.p, by.works_better) == ("not_tested", None, None, None)
    some_finding = finding(CARE, *some, moderators=(AGE,))
    assert "can't be told" in wording_checks.moderation(some_finding, by)


# How far to believe it


def test_a_difference_between_studies_is_never_more_than_possible() -> None:
    young = [
        study(f"y{n}", around(0.95, 0.1), characteristics={"age": "under 10"}) for n in range(6)
    ]
    old = [
        study(f"o{n}", around(0.5, 0.1), characteristics={"age": "10 and over"}) for n in range(6)
    ]
    by = asked(AGE, [*young, *old])
    assert by.p is not None
    assert by.p < 0.001
    assert (by.credibility, by.works_better) == ("possible", "10 and over")
    assert by.cautions == ("it compares studies with each other, which differ in other ways too",)
    some = finding(CARE, *young, *old, moderators=(AGE,), methods=AS_Z)
    told = wording_checks.moderation(some, by)
    assert told.startswith(
        "The effect may be better where age is: 10 and over (test of interaction: Q "
    )
    assert "This is not established: it compares studies with each other" in told


def test_a_difference_within_several_studies_that_was_expected_is_likely() -> None:
    some = [parted(f"s{n}", 0.95, 0.5, 0.2) for n in range(4)]
    by = asked(AGE, some)
    assert (by.within, by.credibility, by.cautions) == (4, "likely", ())
    told = wording_checks.moderation(finding(CARE, *some, moderators=(AGE,), methods=AS_Z), by)
    assert told.startswith("It is likely that the effect is better where age is: 10 and over")


@pytest.mark.parametrize(
    ("change", "caution"),
    [
        ({"in_advance": False}, "nobody had named it before the results were known"),
        ({"better_for": None}, "the protocol expected nothing of it"),
        ({"better_for": "under 10"}, "the protocol expected the opposite"),
    ],
)
def test_what_speaks_against_a_difference_is_said(change: dict[str, object], caution: str) -> None:
    by = asked(replace(AGE, **change), [parted(f"s{n}", 0.95, 0.5, 0.2) for n in range(4)])
    assert by.credibility == "possible"
    assert caution in by.cautions


def test_many_questions_chance_few_studies_and_one_common_effect_are_cautions() -> None:
    others = [replace(AGE, id=f"m{n}") for n in range(3)]
    some = [parted(f"s{n}", 0.95, 0.5, 0.2) for n in range(4)]
    assert "many such questions were asked" in asked(AGE, some, *others).cautions
    assert any(
        "share one effect" in text
        for text in asked(AGE, some, methods=Methods(estimator="EE")).cautions
    )
    alone = asked(
        AGE,
        [
            parted("a", 0.95, 0.5, 0.2),
            study("b", around(0.7, 0.4), characteristics={"age": "under 10"}),
        ],
    )
    assert "a group has few studies" in alone.cautions
    chance = asked(AGE, [parted("a", 0.9, 0.62, 0.35), parted("b", 0.9, 0.62, 0.35)])
    assert chance.p is not None
    assert 0.01 < chance.p < 0.05
    assert "it may be chance" in chance.cautions


def test_what_is_said_never_calls_a_difference_sure() -> None:
    for spread in (0.05, 0.2, 0.6):
        some = [parted(f"s{n}", 0.95, 0.5, spread) for n in range(5)]
        told = wording_checks.moderation(finding(CARE, *some, moderators=(AGE,)), asked(AGE, some))
        assert any(
            words in told for words in ("It is likely", "The effect may", "No clear difference")
        )


# Meta-regression


def test_a_slope_is_that_of_metafor() -> None:
    by = asked(DOSE, BCG)
    assert by.regression is not None
    slope = by.regression.slopes[0]
    assert log(slope.value) == pytest.approx(-0.0291017206, rel=1e-6)  # rma(yi, vi, mods = ~ ablat)
    assert by.regression.statistic == pytest.approx(16.3571, rel=1e-4)
    assert by.regression.r2 == pytest.approx(75.6247, rel=1e-4)
    assert (by.works_better, by.credibility) == ("high", "possible")
    told = wording_checks.moderation(finding(CARE, *BCG, moderators=(DOSE,), methods=AS_Z), by)
    assert "The effect may be better where dose is higher (meta-regression, p < 0.001)." in told
    assert "Over 13 studies each session more multiplies the ratio by 0.97 (0.96 to 0.99)." in told


def test_below_ten_studies_a_regression_is_refused_with_the_reason() -> None:
    by = asked(DOSE, BCG[:9])
    assert by.regression is None
    assert by.refused == "meta-regression needs 10 studies with a size and this value; there are 9"
    assert by.credibility == "not_tested"


def test_values_that_never_vary_are_refused() -> None:
    same = [replace(form, characteristics={"dose": 3.0}) for form in BCG]
    assert asked(DOSE, same).refused == "the values do not vary enough to tell"


def test_a_number_may_be_read_from_the_forms_as_they_are() -> None:
    year = replace(DOSE, id="year", reads="year", better_for=None)
    dated = [replace(form, year=1950 + n, characteristics=None) for n, form in enumerate(BCG)]
    by = asked(year, dated)
    assert by.regression is not None
    assert by.regression.studies == 13


def test_three_groups_of_many_studies_stand_in_one_model() -> None:
    kind = Moderator("kind", "Kind", "category", "x", True, ("a", "b", "c"))
    some = [
        study(
            f"s{n:02}",
            around(0.4 + 0.2 * (n % 3) + 0.01 * n, 0.3),
            characteristics={"kind": "abc"[n % 3]},
        )
        for n in range(24)
    ]
    by = asked(kind, some)
    assert by.regression is not None
    assert [slope.label for slope in by.regression.slopes] == ["b", "c"]
    assert (by.df, by.regression.df) == (2, 2)
    assert asked(kind, some[:12]).regression is None


# From form to page


def test_a_form_notes_moderators_and_survives_json_a_sheet_and_the_page() -> None:
    protocol = review(CARE, moderators=(AGE, DOSE))
    form = parted("smith-2019", 0.9, 0.5, characteristics={"dose": 12.0})
    assert checks.from_json(json.dumps(forms.to_json(form)), protocol, "f") == form
    typed = {"age": "under 10", "dose": "12"}
    rows = "study,label,reports,characteristics,outcome,construct,measure,effect,subgroup,subgroup_is\n"
    rows += "x,X,10.1/x,age = under 10 | dose = 12,care,entry,RR,0.9,young,age=under 10\n"
    read = sheets.from_csv(rows, protocol, "sheet")[0]
    assert read.characteristics == {"age": "under 10", "dose": 12.0}
    assert read.results[0].subgroup_is == {"age": "under 10"}
    plain = forms.to_json(replace(form, characteristics=typed))
    boxes = [
        box for part in extraction_form.parts(protocol, plain) for row in part.rows for box in row
    ]
    shown = next(box for box in boxes if box.name == "characteristics")
    assert (shown.value, shown.kind) == ("age = under 10 | dose = 12", "line")
    assert shown.hint is not None
    assert shown.hint.startswith(
        "of the whole study: age = under 10 or 10 and over; dose = session."
    )
    without = {
        box.name
        for part in extraction_form.parts(review(CARE), plain)
        for row in part.rows
        for box in row
    }
    assert not any(name.endswith(("characteristics", "subgroup_is")) for name in without)
    back = extraction_form.read((box.name, box.value) for box in boxes)
    assert checks.from_json(back, protocol, "f").characteristics == {
        "age": "under 10",
        "dose": 12.0,
    }


def test_a_form_without_them_is_kept_and_published_as_before() -> None:
    plain = study("a", around(0.9, 0.2))
    kept = forms.to_json(plain)
    assert "characteristics" not in kept
    assert "subgroup_is" not in kept["results"][0]
    published = study_facts.study(review(CARE), Study("a", "A", (), plain))
    assert "characteristics" not in model.plain(published)
    assert "moderators" not in model.plain(protocol.public(review(CARE)))
    assert "moderators" in model.plain(protocol.public(review(CARE, moderators=(AGE,))))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"weight": "x"}, "has no moderator weight; they are age, dose"),
        ({"age": "12"}, "age must be one of under 10, 10 and over, not '12'"),
        ({"dose": "much"}, "dose must be a number, not 'much'"),
        ("young", "must be such as age = under 18 | dose = 12, not 'young'"),
        (3, "must name moderators"),
    ],
)
def test_a_value_that_is_none_of_the_protocols_is_told(given: object, problem: str) -> None:
    protocol = review(CARE, moderators=(AGE, DOSE))
    form = forms.to_json(study("a", around(0.9, 0.2))) | {"characteristics": given}
    with pytest.raises(Refused, match="was not taken") as refused:
        checks.from_json(form, protocol, "f")
    assert problem in str(refused.value)


def test_a_moderator_that_the_protocol_drops_or_names_anew_leaves_the_study_whole() -> None:
    form = parted("a", 0.9, 0.5, characteristics={"dose": 12.0, "age": "under 10"})
    renamed = replace(AGE, values=("young", "10 and over"))
    (text, protocol) = (json.dumps(forms.to_json(form)), review(CARE, moderators=(renamed,)))
    kept, problem = read_form(protocol, "a", text)
    assert problem is None
    assert kept is not None
    assert kept.characteristics is None
    assert [result.subgroup_is for result in kept.results] == [None, None, {"age": "10 and over"}]
    assert read_form(review(CARE, moderators=(AGE, DOSE)), "a", text)[0] == form


def test_a_group_of_people_must_be_named_in_words_too() -> None:
    form = study("a", around(0.9, 0.2, subgroup_is={"age": "under 10"}))
    with pytest.raises(Refused, match="subgroup: must be given with subgroup_is"):
        checks.from_json(forms.to_json(form), review(CARE, moderators=(AGE,)), "f")


TABLE = """
[[moderators]]
id = "age"
label = "Age"
kind = "category"
values = ["under 10", "10 and over"]
reason = "Older children speak up."
in_advance = true
better_for = "10 and over"
"""


def protocol_with(table: str) -> tuple[Moderator, ...]:
    return review_toml.parse(review_toml.template() + table).moderators


def test_a_protocol_names_its_moderators() -> None:
    assert protocol_with(TABLE) == (replace(AGE, outcomes=()),)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'values = ["under 10", "10 and over"]',
            "",
            "moderators[1].values: must name the groups, two or more",
        ),
        ('"under 10"', '"a|b"', "can't hold | or ="),
        ('"under 10"', '"10 and over"', "names a group twice"),
        ('kind = "category"', 'kind = "number"', "values: is for categories; leave it out"),
        (
            'kind = "category"',
            'kind = "group"',
            'unknown kind of moderator "group"; choose one of category, number',
        ),
        (
            'better_for = "10 and over"',
            'better_for = "old"',
            '"old" must be one of under 10, 10 and over',
        ),
        ("in_advance = true", "", "in_advance: is missing; add in_advance = true"),
        (
            "in_advance = true",
            'in_advance = true\nreads = "year"',
            '"year" can\'t be read for a category',
        ),
        ("in_advance = true", 'in_advance = true\nunit = "years"', "unit: is for numbers"),
        (
            "in_advance = true",
            'in_advance = true\noutcomes = ["none"]',
            '"none" is no outcome of this review',
        ),
    ],
)
def test_what_is_wrong_with_a_moderator_is_told_with_its_line(
    old: str, new: str, problem: str
) -> None:
    assert old in TABLE
    with pytest.raises(Refused) as refused:
        protocol_with(TABLE.replace(old, new))
    assert problem in str(refused.value)
    assert "review.toml line " in str(refused.value)


def test_a_difference_that_is_told_anew_changes_what_the_answer_means() -> None:
    alike = finding(CARE, *[parted(f"s{n}", 0.7, 0.65, 0.3) for n in range(4)], moderators=(AGE,))
    apart = finding(CARE, *[parted(f"s{n}", 0.75, 0.5, 0.2) for n in range(4)], moderators=(AGE,))
    change = finding_changes._by_group(alike, apart)
    assert change == ("now_shows", "where the effect is better is told otherwise: age")
    assert finding_changes._by_group(apart, apart) is None
    never_asked = apart.model_copy(update={"moderators": ()})
    assert finding_changes.compare(never_asked, apart).kind == "now_shows"


def test_the_tile_of_moderators_does_not_deny_the_table_beside_it() -> None:
    protocol = review(CARE, moderators=(AGE,))
    some = [parted(f"s{n}", 0.7, 0.5, 0.2) for n in range(4)]
    found: Sequence[Finding] = checked.findings(protocol, some)
    tile = next(one for one in claims.claims(protocol, found, some) if one.id == "emmie:moderators")
    assert tile.text.endswith("The review compares effects by: age.")
    assert "No study" not in tile.text


def test_each_group_is_made_by_the_rule_of_the_finding() -> None:
    some = [parted("a", 0.9, 0.5), parted("b", 0.8, 0.45), study("c", smd(0.2, 0.1))]
    by = asked(AGE, some, methods=Methods())
    young = [
        replace(
            form,
            results=tuple(
                one for one in form.results if (one.subgroup_is or {}).get("age") == "under 10"
            ),
        )
        for form in some[:2]
    ]
    alone = weigh.finding(review(CARE, WELLBEING), SOS, CARE, young)
    assert by.groups[0].estimate == alone.estimate


def test_a_smaller_harm_in_a_group_is_never_told_as_a_help() -> None:
    some = [parted(f"s{n}", 2.5, 1.4, 0.2) for n in range(4)]
    harmful = finding(CARE, *some, moderators=(AGE,), methods=AS_Z)
    assert harmful.good is False
    told = wording_checks.moderation(harmful, harmful.moderators[0])
    assert told.startswith("It is likely that the effect is better where age is: 10 and over")
    assert "work" not in told


ONE_STUDY = st.tuples(
    st.sampled_from(["parted", "under 10", "10 and over", "unknown"]),
    st.floats(0.3, 2.0),
    st.floats(0.3, 2.0),
    st.sampled_from([None, "low", "high", "critical"]),
)


@settings(max_examples=30, deadline=None)
@drawn(st.lists(ONE_STUDY, min_size=1, max_size=8))
def test_groups_never_hold_more_people_or_other_studies_than_the_finding(
    drawn_studies: list[tuple[str, float, float, str | None]],
) -> None:
    some: list[Extraction] = []
    for n, (kind, young, old, risk) in enumerate(drawn_studies):
        if kind == "parted":
            some.append(parted(f"s{n}", young, old, risk_of_bias=risk))
            continue
        noted = None if kind == "unknown" else {"age": kind}
        some.append(
            study(f"s{n}", around(young, 0.3, n=900), risk_of_bias=risk, characteristics=noted)
        )
    plain = Methods(sensitivity=())
    whole = finding(CARE, *some, moderators=(AGE,), methods=plain)
    assert whole.model_copy(update={"moderators": ()}) == finding(CARE, *some, methods=plain)
    for by in whole.moderators:
        in_groups = sum(group.people or 0 for group in by.groups)
        assert in_groups == (whole.people or 0) - 900 * by.unknown
        parts = sum(group.studies for group in by.groups)
        assert parts == len(whole.counted) - by.unknown + by.within
        assert (by.p is None) == (by.credibility == "not_tested")
        assert by.credibility != "likely" or by.within == len(whole.counted)
        data.dump(whole.model_dump(mode="json"))
