"""Two reports that belong together: never merged, always linked, with what they are to each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from livereview.dedup.explain import explain
from livereview.dedup.match import Judgement, block_keys, judge
from livereview.dedup.text import features
from livereview.errors import Refused
from livereview.links import WORDS, LinkKind
from livereview.ops import screen
from livereview.ops.settle import settle
from livereview.records import Record, Related, fingerprint, from_json, to_json
from livereview.store import matches, records
from livereview.store.open import Store, memory_database
from tests.bench import links
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_dedup_match import record
from tests.test_web_screen import vote

People = Callable[..., Browser]
LONG = "Mentoring for young people leaving care in northern towns"


def judged(a: Record, b: Record) -> Judgement:
    one, two = features(a), features(b)
    judgement = judge(one, two)
    assert judgement == judge(two, one)
    assert judgement.verdict == "different" or set(block_keys(one)) & set(block_keys(two))
    return judgement


def related(kind: LinkKind, id: str) -> list[dict[str, str]]:
    return [{"kind": kind.value, "id": id}]


@pytest.mark.parametrize("kind", LinkKind)
def test_what_a_source_says_is_the_kind_of_the_link_however_unlike_the_titles(
    kind: LinkKind,
) -> None:
    article_of = record("a", title="What carers need", doi="10.1000/j.1")
    other = record(
        "b", title="Early words", doi="10.1101/x.1", related=related(kind, "doi:10.1000/j.1")
    )
    judgement = judged(article_of, other)
    assert (judgement.verdict, judgement.kind) == ("linked", kind)
    assert WORDS[kind] in explain(article_of, other)


@pytest.mark.parametrize(
    ("id", "known"),
    [
        ("pmid:38773000", {"pmid": "38773000"}),
        ("pmcid:PMC9000001", {"pmcid": "PMC9000001"}),
        ("doi:10.1000/J.1", {"doi": "10.1000/j.1"}),
        ("doi:10.31235/osf.io/ab3de_v2", {"doi": "10.31235/osf.io/ab3de_v1"}),
    ],
)
def test_whichever_identifier_a_source_names_finds_the_other(
    id: str, known: dict[str, object]
) -> None:
    one = record("a", title="Early words", related=related(LinkKind.PREPRINT, id))
    assert judged(one, record("b", title="What carers need", **known)).kind == LinkKind.PREPRINT


def test_europe_pmcs_number_of_a_preprint_finds_it() -> None:
    preprint = from_json(
        {"source": "europepmc", "source_key": "PPR/PPR123", "title": "Early words"}
    )
    one = record("a", title="What carers need", related=related(LinkKind.PREPRINT, "epmc:PPR123"))
    assert judged(one, preprint).verdict == "linked"


CASES = [
    ({"title": f"{LONG}: executive summary"}, {"title": LONG}, LinkKind.SUMMARY),
    ({"title": f"Plain language summary of {LONG}"}, {"title": LONG}, LinkKind.SUMMARY),
    ({"title": f"{LONG} (easy read)"}, {"title": LONG}, LinkKind.SUMMARY),
    ({"title": f"{LONG}: research brief"}, {"title": LONG, "authors": []}, LinkKind.SUMMARY),
    ({"title": f"Correction: {LONG}"}, {"title": LONG}, LinkKind.CORRECTION),
    ({"title": f"Retraction note to: {LONG}"}, {"title": LONG}, LinkKind.RETRACTION),
    ({"title": f"Reply to: {LONG}"}, {"title": LONG}, LinkKind.REPLY),
    ({"title": f"{LONG}: study protocol"}, {"title": LONG}, LinkKind.PROTOCOL),
    ({"title": LONG, "type": "preprint"}, {"title": LONG}, LinkKind.PREPRINT),
    (
        {"title": LONG, "type": "thesis"},
        {"title": LONG, "type": "journal-article"},
        LinkKind.THESIS,
    ),
    (
        {"title": LONG, "pages": "S12", "type": "conference-abstract"},
        {"title": LONG, "pages": "20-29"},
        LinkKind.CONFERENCE_ABSTRACT,
    ),
]


@pytest.mark.parametrize(("a", "b", "kind"), CASES, ids=lambda value: str(value)[:40])
def test_where_no_source_speaks_the_rules_say_the_kind(
    a: dict[str, object], b: dict[str, object], kind: LinkKind
) -> None:
    judgement = judged(record("a", **a), record("b", **b))
    assert (judgement.verdict, judgement.kind) == ("linked", kind), judgement


# The folders of recorded answers in which a source says what belongs to what, and the other is there.
TELLING = ("biorxiv", "crossref", "semanticscholar", "unpaywall")


@pytest.mark.skipif(
    not links.PAYLOADS.is_dir(), reason="the recorded payloads are not beside the project"
)
def test_the_rules_find_what_sources_state_with_their_fields_hidden() -> None:
    measured = links.measure(TELLING)
    assert (measured.stated, measured.found) == (3, 2)
    assert measured.made == measured.made_found > 0


def trial(number: str, **known: object) -> Record:
    return record(number, type="trial", registration=number, **known)


def test_registrations_of_one_trial_are_one_report_or_linked_over_registers() -> None:
    here = trial("NCT05000001", title="A trial of mentors")
    again = record(
        "x", type="trial", registration="NCT05000001", title="Mentors: a randomised trial"
    )
    assert judged(here, again).verdict == "same"
    elsewhere = trial(
        "ISRCTN12345678",
        title="Help for care leavers",
        related=related(LinkKind.REGISTERED_TWICE, "trial:NCT05000001"),
    )
    judgement = judged(here, elsewhere)
    assert (judgement.verdict, judgement.kind) == ("linked", LinkKind.REGISTERED_TWICE)
    other = trial("NCT05000002", title="A trial of mentors")
    assert judged(here, other).verdict == "doubtful", "one team's two trials may share a title"


def test_a_report_that_names_a_registration_is_linked_and_one_that_lists_many_is_not() -> None:
    entry = trial("NCT05000001", title="A trial of mentors", authors=[])
    report = record("a", title="What mentors did", abstract="Registered: NCT05000001.")
    assert judged(entry, report).kind == LinkKind.REGISTRATION
    many = "NCT05000001, NCT05000002, NCT05000003"
    assert judged(entry, record("b", title="What trials say", abstract=many)).verdict == "different"


def test_an_entry_of_a_register_is_known_by_its_place_too() -> None:
    central = record(
        "a",
        title="A trial of mentors",
        container_title="https://clinicaltrials.gov/show/NCT05000001",
        type="journal-article",
    )
    assert features(central).registration == "NCT05000001"
    assert features(record("b", container_title="Trials")).registration == ""


def test_what_a_source_says_changes_no_fingerprint_of_others() -> None:
    plain = record("a")
    assert "related" not in to_json(plain) and "registration" not in to_json(plain)
    tied = record("a", related=related(LinkKind.PREPRINT, "doi:10.1000/j.1"))
    assert fingerprint(tied) != fingerprint(plain) and from_json(to_json(tied)) == tied
    assert tied.related == (Related(LinkKind.PREPRINT, "doi:10.1000/j.1"),)


def test_the_kind_is_stored_with_the_link_and_both_stay_reports_of_their_own() -> None:
    con = memory_database(threads=1)
    one = record("a", title=LONG, doi="10.1000/j.1")
    two = record("b", title="Early words", related=related(LinkKind.PREPRINT, "doi:10.1000/j.1"))
    for night in ([two], [one]):
        records.append(con, night, "0" * 64, NOW)
        settle(con, night, NOW)
    assert matches.linked(con, one.record_id) == {two.record_id: LinkKind.PREPRINT}
    assert len(set(records.report_of_each(con, [one.record_id, two.record_id]).values())) == 2
    said = record("b", title="Early words")  # its source no longer says so
    records.append(con, [said], "1" * 64, NOW)
    settle(con, [said], NOW)
    assert matches.linked(con, one.record_id) == {}


def test_a_person_says_what_two_linked_reports_are(reviewed: Store, browser: People) -> None:
    one, two = found(reviewed, article(0), article(1))
    ada = browser("ada")
    page = ada.get(f"/r/{REVIEW}/records/{one}")
    assert "a report and its summary" in page
    _, fields = ada.form("Of the same study: link")
    ada.http.post(f"/r/{REVIEW}/duplicates", data=fields | {"right": two, "link": "summary"})
    with reviewed.read() as con:
        assert matches.linked(con, one) == {two: LinkKind.SUMMARY}
    assert "a report and its summary" in ada.get(f"/r/{REVIEW}/records/{one}")
    with pytest.raises(Refused, match="link must be one of preprint"):
        screen.judge(
            reviewed, id="j", left=one, right=two, verdict="linked", link="x", person="bo", now=NOW
        )


def test_linked_reports_are_decided_together_by_title_and_abstract_too(
    reviewed: Store, browser: People
) -> None:
    one, two = found(reviewed, article(0), article(1))
    screen.judge(reviewed, id="j", left=one, right=two, verdict="linked", person="lena", now=NOW)
    ada = browser("ada")
    stage = f"/r/{REVIEW}/screen/title_abstract"
    assert 'name="together"' in ada.get(f"{stage}?record={one}")
    _, fields = ada.form("Include")
    ada.http.post(f"/r/{REVIEW}/decide", data=fields | {"verdict": "include", "together": [two]})
    assert 'name="together"' not in ada.get(f"{stage}?record={two}")
    vote(reviewed, one, "bo", "include")
