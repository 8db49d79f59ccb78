from __future__ import annotations

import json
from pathlib import Path

from livereview import review_toml
from livereview.evidence import checks, upgrade
from livereview.review import EMMIE
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
        assert (outcome.kind, outcome.pool) == ("benefit", True)
        assert outcome.risk_source is not None and outcome.risk_source.startswith("an example"), (
            "no invented figure"
        )
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
        "Not yet assessed: children re-entering care and children returning to their families."
    )
    assert summary["caveat"] == "Lack of evidence is not evidence that it does not work."
    (care, again, home) = summary["findings"]
    assert care["wording"].startswith(
        "There is too little evidence on children entering care. We can't say if Signs of Safety did better or worse "
        "than services as usual."
    )
    assert "It reports a direction in words only." in care["wording"]
    assert {again["state"], home["state"]} == {"not_yet_assessed"}


def test_the_2009_study_claims_no_more_than_is_known() -> None:
    folder = EXAMPLES / "signs-of-safety"
    data = json.loads((folder / "extractions" / "one-2009-study.json").read_text("utf-8"))
    review = review_toml.load(folder / "review.toml")
    (result,) = data["results"]
    assert result["outcome"] in {outcome.id for outcome in review.outcomes}
    assert result["direction"] == "favours_intervention"
    assert [result[key] for key in ("effect", "ci_low", "ci_high", "n")] == [None] * 4
    assert "caution" in data["caution"]
    assert f"TI  - {data['reports'][0]}\n" in (folder / "seed.ris").read_text("utf-8")
    assert data["study"] in {
        study for statement in review.statements for study in statement.studies
    }


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
    assert [outcome.id for outcome in review.outcomes] == domains
    assert {
        (outcome.better, outcome.measure, outcome.important) for outcome in review.outcomes
    } == {("higher", "SMD", 0.2)}
    assert [search.name for search in review.searches if search.grey] == ["feed-grey"]
    assert review.living.search_schedule == "0 2 * * *"
