"""The room of extraction: forms without a script, grouping, what a form would change, two people
and a consensus.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from livereview import ops
from livereview.errors import Refused
from livereview.evidence import grouping
from livereview.ops import evidence, protocols, surveil
from livereview.records import Record
from livereview.store import evidence as stored
from livereview.store import extraction_checks, trace
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, Forms, article, found
from tests.test_ops import form, include

People = Callable[..., Browser]
BASE = f"/r/{REVIEW}/evidence"
RESULT = {
    **{"outcome": "attendance", "construct": "days", "n": 40, "higher_is_better": True},
    **{"measure": "SMD", "effect": 0.5, "ci_low": 0.3, "ci_high": 0.7},
}


@pytest.fixture
def included(reviewed: Store) -> list[str]:
    """Two included reports with authors in common."""
    ids = found(reviewed, article(1), article(2))
    for record in ids:
        include(reviewed, record)
    return ids


def forms_of(store: Store) -> dict[str, Any]:
    with store.read() as con:
        return {study: json.loads(text) for study, text in stored.extractions(con, REVIEW).items()}


def test_a_study_is_extracted_previewed_and_saved_without_a_script(
    reviewed: Store, included: list[str], browser: People
) -> None:
    ada = browser("ada")
    page = ada.get(BASE)
    assert "2 included reports wait for a study" in page and "Extract it as a new study" in page
    ada.get(f"{BASE}/new?report={included[0]}")
    typed = {
        "study": "doe-2020", "label": "Doe 2020", "results-0-outcome": "attendance", "results-0-construct": "days",
        "results-0-n": "80", "results-0-measure": "OR",
        "results-0-reported": "ai=5, bi=35, ci=10, di=30", "findings-1-dimension": "implementation",
        "findings-1-text": "Staff left.", "findings-1-polarity": "barrier",
    }  # fmt: skip
    page = ada.press("See what it would change", **typed)
    assert (
        "What saving this would change in public" in page
        and "<ins" in page
        and forms_of(reviewed) == {}
    )
    assert "ai=5, bi=35, ci=10, di=30" in page
    page = ada.press("Save")
    assert "1 result, 1 finding;" in page
    saved = forms_of(reviewed)["doe-2020"]
    assert (
        saved["results"][0]["effect"] == pytest.approx((5 * 30) / (35 * 10))
        and saved["year"] == 2020
    )
    assert saved["reports"] == [included[0]] and saved["findings"][0]["text"] == "Staff left."


def test_the_tools_of_appraisal_are_offered_and_any_other_may_be_typed(
    included: list[str], browser: People
) -> None:
    page = browser("ada").get(f"{BASE}/new?report={included[0]}")
    assert 'name="risk_of_bias_tool" value="" dir="auto" list="offers-risk_of_bias_tool"' in page
    assert '<datalist id="offers-risk_of_bias_tool"><option value="RoB 2"' in page


def test_a_mistake_comes_back_with_everything_that_was_typed(
    reviewed: Store, included: list[str], browser: People
) -> None:
    ada = browser("ada")
    ada.get(f"{BASE}/new?report={included[0]}")
    page = ada.press("Save", study="Doe 2020", label="<b>Doe</b>", year="soon")
    assert ada.page.status_code == 422
    assert '<a href="#year">Year</a>: <span dir="auto">must be a number, not &#39;soon&#39;' in page
    assert (
        '<a href="#study">Id of the study</a>: <span dir="auto">must be small letters' in page
        and "&lt;b&gt;Doe&lt;/b&gt;" in page
        and forms_of(reviewed) == {}
    )
    assert 'value="soon"' in page and ada.press("More rows").count('name="results-') >= 33


def test_a_mistake_stands_at_its_field_which_has_the_focus(
    reviewed: Store, included: list[str], browser: People
) -> None:
    ada = browser("ada")
    ada.get(f"{BASE}/new?report={included[0]}")
    typed = {"study": "doe-2020", "label": "Doe", "results-2-outcome": "attendance"}
    page = ada.press("Save", **typed)

    assert '<a href="#results-0-construct">Results 1, Construct</a>' in page
    field = page[page.index('<input id="results-0-construct"') :]
    field = field[: field.index(">")]
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="wrong-results-0-construct"' in field
    assert "autofocus" in field
    assert 'id="wrong-results-0-construct">must be given</small>' in page
    row = page[page.index('id="row-results-0"') :]
    assert row[: row.index(">")].endswith(" open")
    assert page.count("autofocus") == 1


def test_a_report_is_put_into_a_study_by_suggestion_and_taken_out_again(
    reviewed: Store, included: list[str], browser: People
) -> None:
    evidence.extract(
        reviewed, id="e", review=REVIEW, data=form(results=[RESULT]), extractor="ada", now=NOW
    )
    ada = browser("ada")
    page = ada.get(BASE)
    assert "1 included report waits" in page and "authors in common (Doe J, Roe R)" in page
    assert "0 included reports wait" in ada.press("Part of doe-2020")
    assert "1 included report waits" in _take_out(ada, included[1])
    with pytest.raises(Refused, match="no study 'x'"):
        evidence.group(
            reviewed, id="g", review=REVIEW, record=included[1], study="x", by="ada", now=NOW
        )


def _take_out(person: Browser, record: str) -> str:
    forms = Forms(person.page.text).all
    one = next(
        form
        for form in forms
        if "Take out" in form["buttons"] and form["fields"]["record"] == record
    )
    person.page = person.http.post(one["action"], data=one["fields"])
    assert "before: doe-2020" in person.page.text
    return person.press("Yes, do this")


def test_what_if_a_study_were_removed(
    reviewed: Store, included: list[str], browser: People
) -> None:
    evidence.extract(
        reviewed, id="e", review=REVIEW, data=form(results=[RESULT]), extractor="ada", now=NOW
    )
    page = browser("ada").get(f"{BASE}/doe-2020/without")
    assert (
        "<strong>no longer supported</strong>" in page
        and "Not yet assessed: the review has records" in page
    )
    told = ops.impact.without(reviewed, review=REVIEW, study="doe-2020", now=NOW)
    assert told["change"] == "no_longer_supported" and forms_of(reviewed)
    with pytest.raises(Refused, match="no study 'x' in small-review; the studies: doe-2020"):
        ops.impact.without(reviewed, review=REVIEW, study="x", now=NOW)


def test_a_preview_writes_nothing_and_says_none_for_the_same_form(
    reviewed: Store, included: list[str]
) -> None:
    told = ops.impact.preview(reviewed, review=REVIEW, form=form(results=[RESULT]), now=NOW)
    assert told["change"] == "new_finding" and forms_of(reviewed) == {}
    evidence.extract(
        reviewed, id="e", review=REVIEW, data=form(results=[RESULT]), extractor="ada", now=NOW
    )
    assert (
        ops.impact.preview(reviewed, review=REVIEW, form=form(results=[RESULT]), now=NOW)["change"]
        == "none"
    )


SIDE_BY_SIDE = f"{BASE}/doe-2020/consensus"


@pytest.fixture
def double(reviewed: Store, included: list[str], protocol: str) -> Store:
    surveil.register(
        reviewed, text=protocol.replace("licence =", "extractors = 2\nlicence =", 1), now=NOW
    )
    return reviewed


def single(store: Store, person: str, **more: Any) -> dict[str, Any]:
    data = form(results=[RESULT], **more)
    return evidence.extract(
        store, id=f"e-{person}", review=REVIEW, data=data, extractor=person, now=NOW
    )


def test_with_two_extractors_one_alone_holds_nothing(double: Store) -> None:
    assert (
        single(double, "ada")["waits"] == "a second extraction or a consensus"
        and forms_of(double) == {}
    )
    with pytest.raises(Refused, match="needs the extractions of 2 people"):
        data = form(results=[RESULT])
        evidence.extract(
            double, id="c", review=REVIEW, data=data, extractor="ada", now=NOW, role="consensus"
        )
    assert (
        "waits" not in single(double, "bo") and forms_of(double)["doe-2020"]["label"] == "Doe 2020"
    )


def test_two_who_differ_make_a_consensus_field_by_field(double: Store, browser: People) -> None:
    single(double, "ada", participants=8077)
    bo = browser("bo")
    assert "8077" not in bo.get(f"{BASE}/doe-2020"), "nobody sees the other's before their own"
    bo.get(SIDE_BY_SIDE)
    assert bo.page.status_code == 404
    single(double, "bo", participants=82)
    assert forms_of(double) == {}
    page = bo.get(f"{BASE}/doe-2020")
    assert "bo and ada differ in 1 place" in page and f'href="{SIDE_BY_SIDE}"' in page
    assert "8077" in bo.get(SIDE_BY_SIDE)
    assert "8077" not in browser("cy").get(f"{BASE}/doe-2020")
    page = bo.press("Save as the consensus")
    assert "1 place is not settled yet" in page and 'href="#take-participants"' in page
    assert forms_of(double) == {}
    bo.press("Save as the consensus", **{"take-participants": "left"})
    assert forms_of(double)["doe-2020"]["participants"] == 82


def other_result(**more: Any) -> dict[str, Any]:
    return {**RESULT, "construct": "another measure", **more}


def extracted_by(store: Store, person: str, results: list[dict[str, Any]], **more: Any) -> None:
    data = form(results=results, **more)
    given: dict[str, Any] = {"review": REVIEW, "data": data, "extractor": person, "now": NOW}
    evidence.extract(store, id=f"{person}-{len(results)}", **given)


def test_rows_in_another_order_meet_and_a_row_of_one_is_kept_or_left_out(
    double: Store, browser: People
) -> None:
    extracted_by(double, "ada", [other_result(n=40), RESULT], setting="a town")
    extracted_by(double, "bo", [RESULT, other_result(n=41), other_result(subgroup="girls")])
    lena = browser("lena", "lead")
    page = lena.get(SIDE_BY_SIDE)
    assert "Only bo has this row" in page and "left empty" in page
    chosen = {"take-results-0-n": "own", "own-results-0-n": "42", "take-setting": "left"}
    page = lena.press("Save as the consensus", **chosen)
    assert "1 place is not settled yet" in page and 'value="42"' in page
    lena.press("Save as the consensus", **chosen, **{"row-results-2": "keep"})
    agreed = forms_of(double)["doe-2020"]
    assert [row["construct"] for row in agreed["results"]][1:] == [
        RESULT["construct"],
        "another measure",
    ]
    assert agreed["results"][0]["n"] == 42 and agreed["setting"] == "a town"
    page = lena.get(BASE)
    assert "How far two extractors agree" in page and "having the row at all" in page
    assert "How far two extractors agree" not in browser("bo").get(BASE)
    page = lena.get(SIDE_BY_SIDE)
    assert "A consensus holds already" in page
    lena.press("Save as the consensus", **chosen, **{"row-results-2": "leave out"})
    assert len(forms_of(double)["doe-2020"]["results"]) == 2


def test_a_consensus_waits_where_one_of_the_two_extracts_again_meanwhile(
    double: Store, browser: People
) -> None:
    extracted_by(double, "ada", [RESULT], participants=80)
    extracted_by(double, "bo", [RESULT], participants=81)
    bo = browser("bo")
    bo.get(SIDE_BY_SIDE)
    extracted_by(double, "ada", [RESULT, other_result()], participants=82)
    page = bo.press("Save as the consensus", **{"take-participants": "left"})
    assert bo.page.status_code == 409 and "has extracted this study again" in page
    assert re.search(r'value="left" checked', page) and forms_of(double) == {}


def test_what_the_form_would_refuse_is_mended_in_the_form(double: Store, browser: People) -> None:
    extracted_by(double, "ada", [RESULT], participants=80)
    extracted_by(double, "bo", [RESULT], participants=81)
    bo = browser("bo")
    bo.get(SIDE_BY_SIDE)
    wrong = {"take-participants": "own", "own-participants": "-3"}
    page = bo.press("Save as the consensus", **wrong)
    assert bo.page.status_code == 422 and 'href="#participants"' in page and 'value="-3"' in page
    bo.press("Save as the consensus", participants="83")
    assert forms_of(double)["doe-2020"]["participants"] == 83


def test_a_consensus_can_go_on_in_the_form_as_a_draft(double: Store, browser: People) -> None:
    extracted_by(double, "ada", [RESULT], participants=80)
    extracted_by(double, "bo", [RESULT], participants=81)
    bo = browser("bo")
    bo.get(SIDE_BY_SIDE)
    page = bo.press("Go on in the form", **{"take-participants": "right"})
    assert 'name="participants" value="80"' in page and "Draft saved" in page
    bo.press("Save as the consensus")
    assert forms_of(double)["doe-2020"]["participants"] == 80


def test_another_checks_what_one_person_extracted(
    reviewed: Store, included: list[str], browser: People
) -> None:
    extracted_by(reviewed, "ada", [RESULT])
    ada, bo = browser("ada"), browser("bo")
    assert "1 of 1 extraction is not checked by a second person yet" in ada.get(BASE)
    page = ada.get(f"{BASE}/doe-2020")
    assert "Somebody else has to check it" in page and "as the report has it" not in page
    bo.get(f"{BASE}/doe-2020")
    with reviewed.read() as con:
        assert trace.extracted(con, REVIEW)["doe-2020"][1] == 1
    page = bo.press("It is as the report has it: checked")
    bo.get(BASE)
    assert "Extracted by ada, checked by bo" in bo.page.text
    assert "Every extraction was checked by a second person" in bo.page.text
    with reviewed.read() as con:
        assert trace.extracted(con, REVIEW)["doe-2020"][1] == 2
    assert "Take my check back" not in ada.get(f"{BASE}/doe-2020")
    bo.get(f"{BASE}/doe-2020")
    bo.press("Take my check back")
    assert "Extracted by ada, not checked yet" in bo.get(BASE)


def test_a_check_is_of_what_was_looked_at_and_by_somebody_else(
    reviewed: Store, included: list[str]
) -> None:
    extracted_by(reviewed, "ada", [RESULT])
    with reviewed.read() as con:
        first = extraction_checks.standings(con, REVIEW)["doe-2020"].extraction
    asked: dict[str, Any] = {"review": REVIEW, "study": "doe-2020", "now": NOW}
    with pytest.raises(Refused, match="a check is somebody else's"):
        ops.extraction_checks.check(reviewed, id="1", extraction=first, by="ada", **asked)
    with pytest.raises(Refused, match="no check of yours stands"):
        ops.extraction_checks.check(
            reviewed, id="1", extraction=first, by="bo", stands=False, **asked
        )
    extracted_by(reviewed, "bo", [RESULT, other_result()])
    with pytest.raises(Refused, match="bo has saved doe-2020 again"):
        ops.extraction_checks.check(reviewed, id="1", extraction=first, by="bo", **asked)
    with reviewed.read() as con:
        second = extraction_checks.standings(con, REVIEW)["doe-2020"]
    assert second.earlier == ("ada",) and second.may_be_checked_by("bo")
    for _ in range(2):  # sent twice, it is once
        now = ops.extraction_checks.check(
            reviewed, id="1", extraction=second.extraction, by="bo", **asked
        )
    assert now.checker == "bo"
    with pytest.raises(Refused, match="nothing to check"):
        ops.extraction_checks.check(
            reviewed, id="2", extraction="x", by="bo", **{**asked, "study": "none"}
        )


def test_what_was_extracted_is_taken_out_and_goes_in_again(
    reviewed: Store, included: list[str], browser: People
) -> None:
    extracted_by(reviewed, "ada", [RESULT, other_result()], population="=1+1")
    lena = browser("lena", "lead")
    assert 'export/studies.csv"' in lena.get(f"/r/{REVIEW}/files")
    body = lena.get(f"/r/{REVIEW}/export/studies.csv")
    assert "'=1+1" in body
    forms = ops.evidence.read_sheet(reviewed, review=REVIEW, text=body, now=NOW)
    assert json.loads(json.dumps(forms["forms"])) == [forms_of(reviewed)["doe-2020"]]
    assert json.loads(lena.get(f"/r/{REVIEW}/export/studies.json")) == [
        forms_of(reviewed)["doe-2020"]
    ]
    lena.get(f"/r/{REVIEW}/export/studies.xlsx")
    assert lena.page.content.startswith(b"PK")
    ada = browser("ada")
    ada.get(f"/r/{REVIEW}/export/studies.csv")
    assert ada.page.status_code == 403


def test_two_who_extract_need_no_check(double: Store, browser: People) -> None:
    single(double, "ada")
    single(double, "bo")
    assert "not checked" not in browser("ada").get(BASE)
    with pytest.raises(Refused, match="their consensus is the check"):
        ops.extraction_checks.check(
            double, id="1", review=REVIEW, study="doe-2020", extraction="e-ada", by="bo", now=NOW
        )


def test_a_rating_is_made_on_the_page(
    reviewed: Store, included: list[str], browser: People
) -> None:
    evidence.extract(
        reviewed, id="e", review=REVIEW, data=form(results=[RESULT]), extractor="ada", now=NOW
    )
    lena = browser("lena", "lead")
    assert "nobody has rated it yet" in lena.get(BASE)
    with reviewed.read() as con:
        label = protocols.protocol(con, REVIEW).outcomes[0].label
    address, fields = lena.form(f"Rate {label.lower()}")
    steps = {
        "domain": ["imprecision", "risk_of_bias"],
        "step": ["-1", "-1"],
        "why": ["40 people", "no blinding"],
    }
    asked = lena.http.post(address, data=fields | {"start": "high"} | steps)
    assert asked.status_code == 422 and "why does the rating start high?" in asked.text
    answered = {"asked": ["start"], "answer": ["It is a trial; its tool is not in the form yet."]}
    assert (
        lena.http.post(address, data=fields | {"start": "high"} | steps | answered).status_code
        == 200
    )
    with reviewed.read() as con:
        (rating,) = stored.ratings(con, REVIEW)
    assert (rating.level, rating.studies, rating.reasons[0].why) == (
        "low",
        ("doe-2020",),
        "40 people",
    )
    assert ": low</summary>" in lena.get(BASE)

    judged = {"missing": "high", "missing_why": "A registered trial is unpublished."}
    again = lena.form(f"Rate {label.lower()}")[1] | {"start": "high"} | steps | answered
    refused = lena.http.post(address, data=again | judged)
    assert refused.status_code == 422
    assert (
        "the risk that results are missing was judged high (A registered trial is unpublished.)"
        in refused.text
    )
    assert 'value="A registered trial is unpublished."' in lena.get(BASE)


def test_confidence_in_a_code_is_rated_on_the_page_and_lapses_with_its_studies(
    reviewed: Store, included: list[str], browser: People, protocol: str
) -> None:
    code = '[[codes]]\nid = "staff"\nlabel = "Staff turnover"\n\n[screening]'
    surveil.register(reviewed, text=protocol.replace("[screening]", code, 1), now=NOW)
    said = {"dimension": "implementation", "text": "Staff left.", "code": "staff"}
    extracted = {"review": REVIEW, "extractor": "ada", "now": NOW}
    data = form(results=[RESULT], findings=[said | {"polarity": "barrier"}])
    evidence.extract(reviewed, id="e", data=data, **extracted)

    lena = browser("lena", "lead")
    page = lena.get(BASE)
    assert "Staff turnover (implementation, barrier)</span>, 1 study: nobody has rated" in page
    address, fields = lena.form("Rate this confidence")
    domains = {"domain": ["coherence", "adequacy"], "concern": ["none", "serious"]}
    unsaid = lena.http.post(address, data=fields | {"level": "low", "why": ["clear", ""]} | domains)
    assert unsaid.status_code == 422
    assert "each reason needs a domain and, in words, why" in unsaid.text
    assert 'value="clear"' in unsaid.text

    told = fields | {"level": "low", "why": ["clear", "one study"]} | domains
    assert lena.http.post(address, data=told).status_code == 200
    with reviewed.read() as con:
        (rating,) = stored.ratings(con, REVIEW)
    assert (rating.kind, rating.subject) == ("cerqual", "implementation/staff/barrier")
    assert (rating.level, rating.reasons[1].concern) == ("low", "serious")
    assert "barrier)</span>, 1 study: low</summary>" in lena.get(BASE)

    other = data | {"study": "roe-2021", "label": "Roe 2021", "reports": [included[1]]}
    evidence.extract(reviewed, id="f", data=other, **extracted)
    assert "2 studies: low, but other studies say so now" in lena.get(BASE)


def record(**fields: Any) -> Record:
    plain: dict[str, Any] = {
        "source": "openalex",
        "source_key": "W",
        "title": "Housing First for young Canadians",
    }
    return Record(**{**plain, **fields})


def test_suggestions_say_why_and_unlike_reports_get_none() -> None:
    known = {
        "a": [
            record(
                authors=("Kozloff, Nicole", "Adair, Carol"),
                abstract="Registered as ISRCTN42520374.",
            )
        ],
        "b": [record(title="Bridges under load and what carries them", authors=("Smith, A",))],
    }
    new = record(
        title="Costs of a programme",
        authors=("Kozloff, N.", "Adair, C."),
        abstract="isrctn42520374",
    )
    (told,) = grouping.suggest(new, known)
    assert (
        told.study == "a"
        and "ISRCTN42520374" in told.why[0]
        and "Adair C, Kozloff N" in told.why[1]
    )
    assert grouping.suggest(record(title="Soil", authors=()), {"b": known["b"]}) == ()
    (alike,) = grouping.suggest(
        record(title="Housing First and young Canadians: outcomes", authors=()), known
    )
    assert alike.why == ("a title alike",)
