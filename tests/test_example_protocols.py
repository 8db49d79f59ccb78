from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from livereview import review_toml
from livereview.evidence import checked, checks, upgrade, wording
from livereview.evidence.forms import Extraction
from livereview.review import EMMIE, Review
from livereview.summary import site
from tests.snapshots import snapshot

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def test_signs_of_safety_asks_what_it_was_made_for() -> None:
    review = review_toml.load(EXAMPLES / "signs-of-safety" / "review.toml")
    assert "living" in review.title
    assert review.emmie
    assert {o.id: o.better for o in review.outcomes} == {
        "entering-care": "lower",
        "re-entering-care": "lower",
        "reunification": "higher",
        "re-referral": "lower",
        "escalation": "lower",
        "kinship-care": "higher",
        "risk-of-maltreatment": "lower",
        "assessment-length": "lower",
    }
    assert len(review.taxonomy) == 9
    assert [area.id for area in review.taxonomy if area.asked] == ["worker-practice"], (
        "the others are no gaps"
    )
    under = [statement.under for statement in review.statements]
    assert under.count("explanations") == 3
    assert set(EMMIE) <= set(under)
    assert any(
        "not evidence that it does not work" in s.text
        for s in review.statements
        if s.under == "caveats"
    )
    assert {search.source for search in review.searches} >= {
        "openalex",
        "crossref",
        "pubmed",
        "europepmc",
    }
    assert sum(search.grey for search in review.searches) == 3


def test_signs_of_safety_continues_the_review_of_2018_and_says_what_its_outcomes_mean() -> None:
    review = review_toml.load(EXAMPLES / "signs-of-safety" / "review.toml")
    assert review.base is not None
    assert (review.base.year, review.base.publications) == (2018, 38)
    (comparison,) = review.comparisons
    assert (comparison.intervention, comparison.comparator) == (
        "Signs of Safety",
        "services as usual",
    )
    for outcome in review.outcomes:
        assert outcome.more and outcome.fewer and outcome.more != outcome.fewer
        assert outcome.pool
        assert outcome.kind == ("service_use" if outcome.id == "assessment-length" else "benefit")
        if outcome.risk is not None:
            assert (outcome.risk_source or "").startswith("an example"), "no invented figure"
    standings = {
        statement.standing for statement in review.statements if statement.under == "explanations"
    }
    assert standings == {"plausible"}


def test_the_page_of_signs_of_safety_reads_aloud() -> None:
    """What a reader hears first: the review before, what is known of each outcome, and that this is
    no proof.
    """
    folder = EXAMPLES / "signs-of-safety"
    review = review_toml.load(folder / "review.toml")
    data = json.loads((folder / "extractions" / "one-2009-study.json").read_text("utf-8"))
    form = upgrade.upgraded(checks.from_json(data, review, "form"), review)
    summary = json.loads(site.build(snapshot(form, review=review), 1, "a first look").summary)
    assert summary["answer"]["text"] == (
        "A review of 2018 read 38 publications. Hardly any had measured whether children were kept safely out of care, "
        "so it could not say whether Signs of Safety works. There is too little evidence on children entering care. "
        "Not yet assessed: children re-entering care, children returning to their families, children in care who live "
        "with relatives or friends, children referred again, cases that become more serious, risk of harm to children "
        "and how long assessments take."
    )
    assert summary["caveat"] == "Lack of evidence is not evidence that it does not work."
    care, *others = summary["findings"]
    assert care["wording"].startswith(
        "There is too little evidence on children entering care. We can't say if Signs of Safety did better or worse "
        "than services as usual."
    )
    assert "It reports a direction in words only." in care["wording"]
    assert (
        "As reported by A 2009 evaluation (one authority's whole-system change): fewer children enter care."
        in care["wording"]
    )
    assert {other["state"] for other in others} == {"not_yet_assessed"}


def test_the_2009_study_claims_no_more_than_is_known() -> None:
    folder = EXAMPLES / "signs-of-safety"
    data = json.loads((folder / "extractions" / "one-2009-study.json").read_text("utf-8"))
    review = review_toml.load(folder / "review.toml")
    (result,) = data["results"]
    assert result["outcome"] in {outcome.id for outcome in review.outcomes}
    assert result["direction"] == "favours_intervention"
    assert [result[key] for key in ("effect", "ci_low", "ci_high", "n")] == [None] * 4
    assert "caution" in data["caution"]
    assert f"TI  - {data['reports'][0]}\n" in (folder / "records.ris").read_text("utf-8")
    assert data["study"] in {
        study for statement in review.statements for study in statement.studies
    }


def test_the_evaluation_of_2021_changes_what_the_page_says() -> None:
    """The first page rests on what was public in 2018; the second tells a loss that the model did
    not aim for, and hides no study that says the opposite.
    """
    folder = EXAMPLES / "signs-of-safety"
    review = review_toml.load(folder / "review.toml")
    before = {form.study: form for form in forms_of(folder, review, later=False)}
    now = before | {form.study: form for form in forms_of(folder, review, later=True)}
    known = {study for statement in review.statements for study in statement.studies}
    assert known <= set(now)
    assert not {"second-english-evaluation", "roses-2020"} & set(before)
    for forms, state in ((before, "no_studies"), (now, "too_little")):
        findings = {one.outcome: one for one in checked.findings(review, forms.values())}
        kinship = findings["kinship-care"]
        assert kinship.state == state
    assert "(RD per 1,000 −130)" in wording.words(kinship).text
    care = wording.words(findings["entering-care"]).text
    assert "Nine English authorities, second evaluation: no difference" in care
    assert "2 studies at critical risk of bias are shown but do not count." in care
    asked = {outcome.id for outcome in review.outcomes}
    nothing_invented = [
        result for form in now.values() for result in form.results if result.ci_low is not None
    ]
    assert nothing_invented == [] and {r.outcome for f in now.values() for r in f.results} <= asked


def forms_of(folder: Path, review: Review, *, later: bool) -> Iterator[Extraction]:
    """The forms of what was public at first, or of what came after."""
    for path in sorted((folder / "extractions").glob("*.json")):
        if path.name.startswith("later-") == later:
            yield checks.from_json(json.loads(path.read_text("utf-8")), review, path.name)


def test_every_record_of_signs_of_safety_says_where_it_was_seen() -> None:
    folder = EXAMPLES / "signs-of-safety"
    for name, least in (("records.ris", 25), ("tipped-records.ris", 2), ("later-records.ris", 20)):
        records = (folder / name).read_text("utf-8").split("ER  - ")
        told = [record for record in records if "TI  - " in record]
        assert len(told) >= least
        assert all("N1  - Seen at: http" in record for record in told)


EVENTS = ("homeless-shelter", "jail")
"""Outcomes of the example that count people: what a reader can be told per 1,000."""


def test_youth_homelessness_tells_events_per_1000_from_the_study_s_own_groups() -> None:
    folder = EXAMPLES / "youth-homelessness"
    review = review_toml.load(folder / "review.toml")
    data = json.loads((folder / "extractions" / "3-raithel-2015.json").read_text("utf-8"))
    form = checks.from_json(data, review, "form")
    (jail,) = [row for row in form.results if row.outcome == "jail"]
    assert jail.reported == {"ai": 9, "n1i": 138, "ci": 26, "n2i": 159}
    finding = next(row for row in checked.findings(review, [form]) if row.outcome == "jail")
    assert finding.estimate is not None and finding.estimate.absolute is not None
    absolute = finding.estimate.absolute
    assert absolute.risk == pytest.approx(1000 * 26 / 159)
    assert absolute.value == pytest.approx(1000 * (9 / 138 - 26 / 159))
    assert absolute.high < 0


def test_youth_homelessness_has_every_outcome_domain_of_the_published_review() -> None:
    review = review_toml.load(EXAMPLES / "youth-homelessness" / "review.toml")
    domains = [
        "stable-housing",
        "social-emotional-wellbeing",
        "health",
        "legal-justice",
        "employment-earnings",
        "education",
        "living-skills",
    ]
    assert [outcome.id for outcome in review.outcomes] == [*EVENTS, *domains]
    assert {
        (outcome.better, outcome.measure, outcome.important)
        for outcome in review.outcomes
        if outcome.id in domains
    } == {("higher", "SMD", 0.2)}
    assert all(outcome.risk is None for outcome in review.outcomes), "risks come from the studies"
    assert [search.name for search in review.searches if search.grey] == ["feed-grey"]
    assert review.living.search_schedule == "0 2 * * *"
