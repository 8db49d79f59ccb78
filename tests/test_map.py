"""The evidence and gap map: what is coded, what stands where, what a gap is, and the page that one
can use.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from livereview.errors import Refused
from livereview.evidence import map_codes
from livereview.evidence.map_codes import MapCodes
from livereview.exchange import coded_maps
from livereview.ops import coding, snapshot
from livereview.review import Area
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.summary import data, evidence_map, front, gap_map, site
from livereview.summary.snapshot import CodedReport, Snapshot
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.snapshots import report, result, review, study
from tests.snapshots import snapshot as snapshot_of
from tests.test_browser import CHROMIUM
from tests.test_browser import chromium as chromium  # the fixture
from tests.test_ops import decide, include

AREAS = (
    Area("mentoring", "Mentoring"),
    Area("training", "Training"),
    Area("money", "Money", asked=False),
    Area("law", "Law", asked=False),
)


# Codes


def test_codes_are_matched_by_id_or_label_and_read_back_the_same() -> None:
    rules = review(taxonomy=AREAS)
    given = {
        "areas": ["TRAINING", "mentoring", "Mentoring"],
        "outcomes": "wellbeing",
        "design": "Randomised trial",
        "countries": [" Wales ", "Wales", "England", ""],
        "kind": None,
    }
    codes = map_codes.from_json(given, rules)
    assert codes == MapCodes(
        areas=("mentoring", "training"),
        outcomes=("well",),
        design="randomised",
        countries=("Wales", "England"),
    )
    assert map_codes.from_json(map_codes.to_json(codes), rules) == codes
    assert map_codes.in_force(map_codes.to_json(codes), rules) == codes


def test_every_mistake_in_codes_is_named_with_the_choices() -> None:
    wrong = {"areas": ["gardening"], "design": ["survey", "mixed"], "colour": "red", "kind": "poem"}
    with pytest.raises(Refused) as refused:
        map_codes.from_json(wrong, review(taxonomy=AREAS))
    message = refused.value.message
    for part in ("'gardening' is not one of mentoring, training", "design must be one value"):
        assert part in message
    assert "'colour' is no field" in message
    assert "'poem' is not one of study, ongoing, review" in message
    for given, part in (
        ({"countries": ["x" * 61]}, "longer than 60"),
        ({"populations": [str(n) for n in range(21)]}, "at most 20"),
        (["areas"], "must be an object"),
    ):
        with pytest.raises(Refused, match=part):
            map_codes.from_json(given, review())


def test_codes_of_an_area_that_the_protocol_dropped_are_left_out_and_stop_nothing() -> None:
    codes = MapCodes(areas=("mentoring", "law"), outcomes=("care",))
    kept = map_codes.in_force(map_codes.to_json(codes), review(taxonomy=AREAS[:1]))
    assert kept.areas == ("mentoring",)
    assert MapCodes().says_nothing
    assert not kept.says_nothing


# Files


def test_a_table_of_codes_is_read_with_several_values_in_a_cell() -> None:
    text = "record,areas,design,countries\n10.1/x,mentoring; law,survey,England;Wales\n,law,,\n"
    read = coded_maps.read(text.encode(), "codes.csv", review(taxonomy=AREAS))
    (row,) = read.rows
    assert (row.record, row.codes["areas"], row.codes["countries"]) == (
        "10.1/x",
        ["mentoring", "law"],
        ["England", "Wales"],
    )
    assert read.problems == ((3, "it names no record"),)
    with pytest.raises(Refused, match="has no column record"):
        coded_maps.read(b"title,areas\nx,law\n", "codes.csv", review())


def eppi(*codes: int, **reference: Any) -> bytes:
    """A file as EPPI-Reviewer writes it: one set of codes, one reference with some of them."""

    def attribute(id: int, name: str, *below: dict[str, Any]) -> dict[str, Any]:
        return {
            "AttributeId": id,
            "AttributeName": name,
            "Attributes": {"AttributesList": list(below)},
        }

    tree = [
        attribute(1, "Intervention", attribute(11, "Mentoring"), attribute(12, "Law")),
        attribute(2, "Study design", attribute(21, "Randomised trial"), attribute(22, "Opinion")),
        attribute(3, "Country", attribute(31, "Europe", attribute(32, "Wales"))),
        attribute(4, "Participants", attribute(41, "Parents")),
    ]
    plain = {"ItemId": 7, "Title": "A trial", "DOI": "https://doi.org/10.1000/X", "Year": "2020"}
    return json.dumps(
        {
            "CodeSets": [{"SetName": "Map", "Attributes": {"AttributesList": tree}}],
            "References": [
                {**plain, **reference, "Codes": [{"AttributeId": code} for code in codes]}
            ],
        }
    ).encode()


def test_the_codes_of_eppi_reviewer_are_placed_by_their_names_and_what_they_stand_under() -> None:
    rules = review(taxonomy=AREAS)
    read = coded_maps.read(eppi(11, 12, 21, 22, 32, 41, 99), "map.json", rules)
    (row,) = read.rows
    assert (row.record, row.also, row.year) == ("10.1000/x", ("A trial",), 2020)
    assert map_codes.from_json(row.codes, rules) == MapCodes(
        areas=("mentoring", "law"),
        design="randomised",
        countries=("Wales",),
        populations=("Parents",),
    )
    assert read.unplaced == {"Opinion": 1}
    unnamed = coded_maps.read(eppi(11, Title="", DOI=None), "map.json", rules)
    assert unnamed.problems == ((1, "it has no title and no DOI"),)


@pytest.mark.parametrize("body", [b"{", b'{"References": 3}', b"[1]", b"[" * 100_000])
def test_a_json_file_of_another_kind_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(Refused, match=r"is not JSON|not EPPI-Reviewer's"):
        coded_maps.read(body, "map.json", review())


# Events


@pytest.fixture
def reports(reviewed: Store) -> list[str]:
    """Three reports: the first is included, the second excluded, the third not screened yet."""
    ids = found(reviewed, article(1), article(2), article(3))
    include(reviewed, ids[0])
    for person in ("ann", "ben"):
        decide(reviewed, ids[1], person, "exclude")
    return ids


def code(store: Store, record: str, id: str = "c1", **codes: Any) -> dict[str, Any]:
    return coding.code(store, id=id, review=REVIEW, record=record, codes=codes, by="ann", now=NOW)


def on_map(store: Store) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Kind, state and areas of all that is on the map, by id."""
    with store.read() as con:
        shown = evidence_map.entries(snapshot.snapshot(con, REVIEW, []), ())
    return {entry.id: (entry.kind, entry.state, entry.areas) for entry in shown}


def test_a_report_is_coded_without_a_form_and_the_last_word_can_be_taken_back(
    reviewed: Store, reports: list[str]
) -> None:
    first = reports[0]
    assert on_map(reviewed) == {}
    assert not code(reviewed, first, areas=["mentoring"])["known"]
    assert on_map(reviewed) == {first: ("study", "included", ("mentoring",))}
    assert code(reviewed, first, "c2", areas=["Mentoring"])["known"]
    code(reviewed, "10.1000/trial1", "c3", kind="ongoing", countries=["Wales"])
    assert on_map(reviewed)[first][0] == "ongoing"
    asked: dict[str, Any] = {"review": REVIEW, "record": first, "by": "ann", "now": NOW}
    coding.take_back(reviewed, id="u1", **asked)
    assert on_map(reviewed) == {first: ("study", "included", ("mentoring",))}
    code(reviewed, first, "c4")
    assert on_map(reviewed) == {}
    with pytest.raises(Refused, match="has no codes to take back"):
        coding.take_back(reviewed, id="u2", **{**asked, "record": reports[1]})
    with pytest.raises(Refused, match="no record of review"):
        code(reviewed, "10.1000/nowhere", "c5", areas=["mentoring"])


def test_what_is_excluded_stays_on_the_map_only_where_it_could_never_count_here(
    reviewed: Store, reports: list[str]
) -> None:
    _, excluded, unread = reports
    code(reviewed, unread, areas=["mentoring"])
    code(reviewed, excluded, "c2", areas=["mentoring"])
    assert on_map(reviewed) == {}, "neither an excluded study nor what nobody has judged"
    code(reviewed, excluded, "c3", kind="review", areas=["mentoring"])
    assert on_map(reviewed) == {excluded: ("review", "listed", ("mentoring",))}


# What stands where


@pytest.fixture
def mapped() -> Snapshot:
    """Two studies, one of them coded for a second area; a study being read; an excluded review."""
    plain = snapshot_of(
        study(
            "one", result("well"), area="mentoring", country="England; Wales", risk_of_bias="low"
        ),
        study("two", area="mentoring", risk_of_bias="serious"),
        review=review(taxonomy=AREAS),
    )
    coded = (
        CodedReport(
            plain.studies[0].reports[0],
            MapCodes(areas=("training", "money"), design="randomised"),
            "included",
            "one",
        ),
        CodedReport(
            report("r9"), MapCodes(areas=("training",), outcomes=("well",)), "being_assessed"
        ),
        CodedReport(report("r8"), MapCodes(kind="review", areas=("mentoring",)), "excluded"),
    )
    return replace(plain, coded=coded)


def summary_of(mapped: Snapshot) -> Any:
    return site.draft(mapped, 1, "test").summary


def test_one_study_stands_in_several_areas_and_an_area_nobody_asked_about_is_no_gap(
    mapped: Snapshot,
) -> None:
    summary = summary_of(mapped)
    offered = {facet.id: facet for facet in evidence_map.facets(summary)}
    grid = evidence_map.grid(summary, offered["areas"], offered["outcomes"])
    counts = {label: [cell.count or cell.empty for cell in cells] for label, cells in grid.cells}
    assert counts == {
        "Mentoring": ["waiting", "1 study", "1 study, 1 review"],
        "Training": ["waiting", "2 studies", ""],
        "Money": ["not_asked", "1 study", ""],
    }
    assert evidence_map.left_out(summary) == {"law": "Law"}
    assert offered["countries"].values == {"England": "England", "Wales": "Wales"}


def test_a_gap_is_what_was_asked_about_and_read_for(mapped: Snapshot) -> None:
    states = evidence_map.gaps(summary_of(mapped))
    assert states["mentoring", "care"] == "waiting"
    assert states["law", "care"] == "not_asked"
    assert gap_map.empty_kind(["no_studies"]) == "gap"
    assert gap_map.empty_kind(["no_studies", "not_yet_assessed"]) == "waiting"
    assert gap_map.empty_kind(["not_asked"]) == "not_asked"
    assert gap_map.empty_kind([]) == "not_asked"


def test_codes_make_a_version_and_a_report_that_moves_on_makes_none(mapped: Snapshot) -> None:
    before = data.content_hash(replace(mapped, coded=()), data.weigh(mapped))
    with_codes = data.content_hash(mapped, data.weigh(mapped))
    assert before != with_codes
    moved = tuple(
        replace(row, state="included") if row.state == "being_assessed" else row
        for row in mapped.coded
    )
    assert data.content_hash(replace(mapped, coded=moved), data.weigh(mapped)) == with_codes


def test_the_map_is_a_page_a_table_and_data_and_the_front_page_counts_by_it(
    mapped: Snapshot,
) -> None:
    built = site.build(mapped, 1, "test")
    page = built.files["map.html"].decode()
    assert page.count("<details><summary>1 study</summary>") >= 2
    assert "listed only: it does not count in this review" in page
    assert "This review does not ask about: Law." in page
    rows = list(csv.DictReader(io.StringIO(built.files["map.csv"].decode())))
    assert rows[0]["areas"] == "mentoring | training | money"
    summary = json.loads(built.files["summary.json"])
    assert [entry["id"] for entry in summary["map"]] == ["one", "two", "r9", "r8"]
    listed = json.loads(front.files([front.Entry("r", built.summary)])["index.json"])
    counts = {(row["area"], row["outcome"]): row["studies"] for row in listed["reviews"][0]["map"]}
    assert counts == {("mentoring", "well"): 1, ("training", "well"): 2, ("money", "well"): 1}


def test_a_review_without_areas_and_codes_has_no_map_and_no_link_to_one() -> None:
    built = site.build(snapshot_of(study("one"), review=review(taxonomy=())), 1, "test")
    assert "map.html" not in built.files
    assert "map.html" not in built.files["index.html"].decode()


def test_the_script_reads_as_data_what_could_end_its_element(mapped: Snapshot) -> None:
    record = replace(mapped.coded[1].report.record, title="</script><script>alert(1)</script>")
    nasty = replace(mapped.coded[1], report=replace(mapped.coded[1].report, record=record))
    page = site.build(replace(mapped, coded=(nasty,)), 1, "test").files["map.html"].decode()
    assert "<script>alert" not in page


# People who use it


def test_a_report_is_coded_on_its_page_and_by_no_reader(
    reports: list[str], browser: Callable[..., Browser]
) -> None:
    page = f"/r/{REVIEW}/records/{reports[0]}"
    ada = browser("ada")
    assert "Not coded yet." in ada.get(page)
    told = ada.press("Keep the codes", areas="mentoring", countries="Wales; ;England")
    assert "Coded by ada." in told
    assert 'value="Wales; England"' in told
    assert "Not coded yet." not in told
    ada.press("Keep the codes", areas="mentoring", countries="Wales")
    assert 'value="Wales; England"' in ada.press("Take the last change back")
    action, fields = ada.form("Keep the codes")
    refused = ada.http.post(action, data={**fields, "design": "guess"})
    assert refused.status_code == 422
    assert "not one of randomised" in refused.text
    assert "For the map" not in browser("rita", "reader").get(page)


def test_only_a_published_page_that_needs_its_script_may_run_one(
    app: FastAPI, settings: Settings
) -> None:
    folder = settings.site / REVIEW / "latest"
    folder.mkdir(parents=True)
    for name in ("map.html", "index.html"):
        (folder / name).write_text("<!doctype html><title>x</title>", encoding="utf-8")
    http = TestClient(app)
    policies = {
        name: http.get(f"/site/{REVIEW}/latest/{name}").headers["Content-Security-Policy"]
        for name in ("map.html", "index.html")
    }
    assert "script-src 'self'" in policies["map.html"]
    assert "script-src" not in policies["index.html"]
    assert policies["map.html"].startswith("default-src 'none'")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_map_is_used_from_a_file(mapped: Snapshot, tmp_path: Path, chromium: Any) -> None:
    """Any two facets, a cell's studies, a filter, the address that keeps it, and the CSV."""
    for name, body in site.build(mapped, 1, "test").files.items():
        (tmp_path / name).write_bytes(body)
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda message: mistakes.append(message.text))
    page.goto(f"file://{tmp_path}/map.html#group=bias")
    assert page.locator("#map-count").inner_text() == "4 of 4 shown"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Mentoring, Wellbeing").click()
    assert page.locator("#map-cell li").all_inner_texts() == [
        "One 2020 · Study · risk of bias: low · in this review"
    ]
    page.locator("summary", has_text="Show only some").click()
    page.select_option("[name=only-kind]", "review")
    assert page.locator("#map-count").inner_text() == "1 of 4 shown"
    assert page.locator("#map-list tbody tr:visible").count() == 1
    assert "only-kind=review" in page.url
    with page.expect_download() as download:
        page.click("#map-csv")
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert saved.splitlines()[1].startswith("r8,Report r8,review,listed")
    page.goto(f"file://{tmp_path}/map.html#rows=design&columns=areas&only-kind=study&rows=no")
    page.reload()
    assert page.locator("#map tbody th").all_inner_texts()[0] == "Randomised trial"
    assert mistakes == []
    page.close()
