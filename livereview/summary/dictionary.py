"""What each column of the published tables means, and how to read the files: the data page.

A column that is in several tables means the same in all of them, but for those in OF_TABLE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from livereview.messages import mark, say
from livereview.summary.tables import Table

ABOUT: Mapping[str, str] = {
    "studies": mark("One row per study: its facts as extracted."),
    "effects": mark("One row per result, with its figures as the study reports them."),
    "exclusions": mark("One row per report that was read in full and left out, with the reason."),
    "findings": mark("One row per finding: the summary of findings."),
    "outcomes": mark("One row per outcome of each comparison, as the protocol asks about it."),
    "contributions": mark(
        "One row for what each study gives to a finding, turned to the outcome, and for each result "
        "that is not used, with the reason."
    ),
    "moderators": mark("For whom, where and how much: one row for each group, or for each slope."),
    "costs": mark("One row per cost, as reported and in the review's currency and year."),
    "costs_per_outcome": mark(
        "One row per finding that shows a good effect, for outcomes that the protocol names: what one "
        "fewer, or one more, costs."
    ),
    "emmie": mark("One row for each thing that a study says on how, for whom and at what cost."),
    "ratings": mark("One row for each reason of each rating by the team."),
    "map": mark("One row per study or report on the evidence and gap map: what it is about."),
}
"""What a row of each table is."""

COLUMNS: Mapping[str, str] = {
    "adjusted": mark("Whether the effect allows for differences at the start."),
    "amount": mark("As reported, in `currency` of `price_year`."),
    "analysed": mark("Individuals or clusters."),
    "area": mark("Id of the area of the review's map."),
    "areas": mark("Ids of areas of the review's map, parted by |."),
    "arm": mark("Id of the intervention's group within the study."),
    "assumed_risk_per_1000": mark("People in 1,000 who have the event without the intervention."),
    "authors": mark("Names, parted by |."),
    "better": mark("Whether more (higher) or less (lower) of the outcome is good for people."),
    "caution": mark("What to keep in mind of the study."),
    "certainty": mark("By GRADE: high, moderate, low, very_low; empty: not rated."),
    "certainty_reasons": mark("Each step up or down, with why."),
    "ci_high": mark("Upper end of the 95% interval."),
    "ci_low": mark("Lower end of the 95% interval."),
    "clustered": mark("Whether people were allocated in groups, such as schools."),
    "code": mark("Id of the protocol's code."),
    "code_label": mark("Its name."),
    "comparator": mark("What the intervention is compared with."),
    "comparison": mark("Id of the comparison."),
    "comparison_label": mark("What is compared with what."),
    "comparisons": mark("Ids of comparisons, parted by |."),
    "concern": mark("In CERQual: none, minor, moderate or serious."),
    "construct": mark("What was measured, in the study's words."),
    "constructs": mark("What the protocol prefers a study to measure, first choice first."),
    "control_arm": mark("Id of the comparison's group within the study."),
    "converted": mark("In the review's currency and year; empty: `why_not_converted` says why."),
    "converted_unit": mark("The review's currency and year."),
    "cost": mark("The middle cost per unit over the effect per unit."),
    "cost_band": mark("The protocol's band of the cost per unit."),
    "cost_high": mark("The highest cost over the smallest effect in the interval."),
    "cost_low": mark("The lowest cost over the largest effect in the interval."),
    "countries": mark("Where, parted by |."),
    "country": mark("Where."),
    "credibility": mark(
        "How far a difference between groups can be believed: not_tested, not_seen, possible, likely."
    ),
    "currency": mark("By its three letters (ISO 4217)."),
    "derivation": mark("How the effect was worked out, where the report does not give it so."),
    "design": mark("Of the study."),
    "df": mark("Degrees of freedom."),
    "df2": mark("The second degrees of freedom, of F; empty: chi²."),
    "dimension": mark("The question of EMMIE: effect, mechanism, moderators, implementation, economics."),
    "direction": mark("What the result favours, read from its effect; typed only without a number."),
    "doi": mark("Of the report."),
    "dois": mark("Of its reports, parted by |."),
    "domain": mark("What the reason is about."),
    "effect": mark("In `measure`; above its null (1 for ratios, else 0) is more of the outcome."),
    "events_with": mark("People with the outcome, with the intervention; empty: no counts."),
    "events_without": mark("People with the outcome, with the comparison; empty: no counts."),
    "finding": mark("Id of the finding: comparison/outcome."),
    "fewer": mark("What less of the outcome means, as a clause."),
    "follow_up": mark("Times after the start that the protocol prefers, first choice first."),
    "follow_up_months_from": mark("The earliest time of a counted study, in months."),
    "follow_up_months_to": mark("The latest one."),
    "good": mark("Whether the side that the finding shows is good for people."),
    "group": mark("Value of the moderator; of a slope the group that is compared with the first."),
    "higher_is_better": mark("Whether more on the study's own scale is good for people."),
    "holds": mark("Whether the rating was made from the evidence as it is now."),
    "how_chosen_or_why_not": mark("How it was chosen among the study's results, or why it is not used."),
    "id": mark("Of the study, else of the report."),
    "important_difference": mark("The smallest that matters: per 1,000 for events, else in the measure."),
    "instrument": mark("The scale, test or register."),
    "intervention": mark("What is tried."),
    "item": mark("What the money is for."),
    "kind": mark("Benefit, harm, service_use or cost."),
    "label": mark("Its name."),
    "leans": mark("The side of the outcome to which the point estimate leans: more, fewer."),
    "level": mark("What the rating comes to."),
    "link": mark("Address of the report."),
    "measure": mark("Short name: RR, OR, RD, HR, SMD, MD …"),
    "measured": mark("What was measured, in the study's words."),
    "moderator": mark("Id of the moderator."),
    "moderators": mark("The study's value of each moderator: age = under 10 | sessions = 3."),
    "months": mark("When, in months after the start."),
    "more": mark("What more of the outcome means, as a clause."),
    "n": mark("People analysed."),
    "named_in_advance": mark("Whether it was named before results were known."),
    "one": mark("Whether it is one more with the outcome, or one fewer."),
    "others_with": mark("People without the outcome, with the intervention; empty: no counts."),
    "others_without": mark("People without the outcome, with the comparison; empty: no counts."),
    "outcome": mark("Id of the outcome."),
    "outcome_label": mark("Its name."),
    "outcomes": mark("Ids of outcomes, parted by |."),
    "p": mark("Two-sided."),
    "page": mark("Where in the report."),
    "participants": mark("People who joined the study."),
    "per_people": mark("People that the effect is for: 1,000 for a risk difference told so, else 1."),
    "people": mark("People analysed, each once; empty: not reported."),
    "per": mark("What the amount is for: a family, a child …; empty: all of it."),
    "perspective": mark("Who pays, such as the council."),
    "polarity": mark("Barrier, enabler, or neither."),
    "pooled": mark("Whether the protocol lets sizes be averaged."),
    "population": mark("Who took part."),
    "populations": mark("Who it is about, parted by |."),
    "prediction_high": mark("Upper end of the interval for a new study's effect."),
    "prediction_low": mark("Lower end of the interval for a new study's effect."),
    "price_year": mark("Of the prices."),
    "primary": mark("Whether the report names it as its primary outcome."),
    "published_in": mark("Journal, book or site."),
    "quality": mark("EMMIE-Q, 0 to 4; empty: not judged."),
    "quote": mark("The report's own words."),
    "reason": mark("Why it was left out."),
    "reported": mark("The figures that the report prints, by name (ai, n1i, m1i, sd1i …)."),
    "reports": mark("Titles of its reports, parted by |."),
    "result": mark("Its place among the study's results in `effects`, from 1; empty: see how it was chosen."),
    "risk_of_bias": mark("Overall judgement, in the words of the tool; empty: not judged."),
    "risk_of_bias_tool": mark("The tool of that judgement."),
    "risk_source": mark("Where the number without the intervention comes from."),
    "risk_with_high": mark("Upper end of the 95% interval of `risk_with_per_1000`."),
    "risk_with_low": mark("Lower end of the 95% interval of `risk_with_per_1000`."),
    "risk_with_per_1000": mark("People in 1,000 who have the event with the intervention."),
    "risk_without_per_1000": mark("People in 1,000 who have the event without it."),
    "side": mark("The side that the finding shows: more, fewer; empty: none."),
    "slope": mark("How the effect differs by one unit, or from the first group; a ratio for ratios."),
    "slope_high": mark("Upper end of its 95% interval."),
    "slope_low": mark("Lower end of its 95% interval."),
    "starts": mark("Where GRADE began: high or low."),
    "state": mark("What can be said at all."),
    "statistic": mark("Q between the groups, chi² or F of the slopes."),
    "step": mark("In GRADE: levels down (below 0) or up."),
    "studies": mark("Studies that count."),
    "studies_without_people": mark("Of these, those that do not report how many people took part."),
    "study": mark("Permanent id of the study in this review."),
    "subgroup": mark("The part of the study's people that it is about; empty: all."),
    "subgroup_is": mark("The same, by the protocol's moderators."),
    "subject": mark("Id of what is rated: a finding, a statement or a code."),
    "test": mark("Interaction (between groups) or meta-regression."),
    "text": mark("What the study says, in the team's words."),
    "time": mark("When it was measured after the start, in `time_unit`."),
    "time_unit": mark("Days, weeks, months or years."),
    "timing": mark("The same, in the report's words."),
    "title": mark("Of the report."),
    "unit": mark("Unit of a mean difference."),
    "used": mark("Whether it counts; a study at critical risk of bias, or without a size, is shown and does not."),
    "weight_percent": mark("Share of the pooled effect."),
    "what_it_means": mark("In words."),
    "whole_cost": mark("Whether it is the whole cost per that unit."),
    "why": mark("The reason, in the team's words."),
    "why_not_converted": mark("Why there is no converted amount."),
    "works_better": mark("Where it seems to work better: a group, or high or low."),
    "year": mark("Of the main report."),
}  # fmt: skip
"""What each column holds."""

OF_TABLE: Mapping[tuple[str, str], str] = {
    ("effects", "effect"): mark("As reported, on the study's own scale; see `higher_is_better`."),
    ("findings", "comparison"): mark("What is compared with what."),
    ("findings", "outcome"): mark("The outcome's name."),
    ("moderators", "kind"): mark("Category, or number."),
    ("moderators", "studies"): mark("In the group; of a slope, in the regression."),
    ("map", "certainty"): mark(
        "By outcome, how sure the findings are that it counts for, parted by |."
    ),
    ("map", "design"): mark("Group of designs, as coded for the map."),
    ("map", "kind"): mark("Study, ongoing or review."),
    ("map", "link"): mark("Its page here, else where it is read."),
    ("map", "state"): mark("How far it is: included, being_assessed, or listed only."),
    ("map", "year"): mark("Of publication."),
    ("ratings", "kind"): mark("Grade, cerqual, or missing_evidence (ROB-ME)."),
    ("exclusions", "year"): mark("Of the report."),
}
"""Columns that mean something else in one table."""


@dataclass(frozen=True, slots=True)
class Described:
    """A table with what a row is, and its columns as (name, type, meaning)."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]


def described(written: Iterable[Table]) -> tuple[Described, ...]:
    """Each table in words."""
    return tuple(
        Described(
            table.name,
            say(ABOUT[table.name]),
            tuple((name, kind, meaning(table.name, name)) for name, kind in table.columns),
        )
        for table in written
    )


def meaning(table: str, column: str) -> str:
    """What a column of a table holds, in words."""
    return say(OF_TABLE.get((table, column)) or COLUMNS[column])
