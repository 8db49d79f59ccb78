"""The parts of the summary: flow diagram, pictures, feed, tables and words."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import feedparser
import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from livereview.errors import Refused
from livereview.evidence.forms import Finding
from livereview.evidence.synthesis import synthesise
from livereview.records import Record
from livereview.summary import data, figures, flow_diagram, site, tables, words
from tests.snapshots import CARE, MOMENT, WELL, fact, flow, published, report, result, review, snapshot, study

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg):
    return ElementTree.fromstring(str(svg))


def texts(svg):
    return [node.text for node in drawn(svg).iter(f"{SVG}text")]


# -- flow diagram


def test_a_flow_that_balances_passes_and_its_table_holds_every_number():
    snap = snapshot(study("a", result()), excluded=(report("x", reason="Wrong design"),))
    flow_diagram.check(snap)
    rows = {name: n for name, n, _ in flow_diagram.rows(snap.flow)}
    assert rows["Excluded in full text: Wrong design"] == 1
    assert rows["Identified in databases and registers"] + rows["Identified by other methods (grey literature)"] == 22
    assert flow_diagram.to_json(snap.flow)["excluded_full_text"] == [{"reason": "Wrong design", "reports": 1}]


@pytest.mark.parametrize(
    ("changes", "box"),
    [
        ({"duplicates": 8}, "identified is 21"),
        ({"in_screening": 2}, "screened is 12"),
        ({"not_retrieved": 0}, "sought is 5"),
        ({"assessed": 2, "awaiting_full_text": 2}, "assessed is 2"),
        ({"included": 2, "assessed": 2, "awaiting_full_text": 2}, "included is 2"),
        ({"studies": 2}, "studies is 2"),
        ({"awaiting_screening": -1, "duplicates": 10}, "awaiting_screening is -1, below zero"),
    ],
)
def test_a_box_that_does_not_balance_is_named(changes, box):
    snap = snapshot(study("a", result()))
    with pytest.raises(Refused, match=box):
        flow_diagram.check(replace(snap, flow=replace(snap.flow, **changes)))


def test_the_flow_picture_has_title_description_and_all_numbers_as_text():
    many = tuple((f"A very long reason for leaving a report out <{n}>", 30 - n) for n in range(12))
    svg = flow_diagram.svg(flow(2, many))
    found = drawn(svg)
    assert [found[0].tag, found[1].tag] == [f"{SVG}title", f"{SVG}desc"]
    assert "294" in texts(svg)
    assert "other reasons (see the table)" in texts(svg)
    assert str(sum(n for _, n in many[8:])) in texts(svg)


# -- pictures


def test_the_plot_orders_studies_by_risk_of_bias_and_shows_the_number_of_results():
    forms = [
        study("a", result(), result(), risk_of_bias="high"),
        study("b", result("care", "unclear"), risk_of_bias="low"),
        study("c", result("care", "no_difference"), year=2024),
        study("d", result("well", "favours_comparison"), year=2025),
    ]
    ordered = figures.by_risk_of_bias(snapshot(*forms).studies)
    assert [one.study_id for one in ordered] == ["b", "a", "d", "c"]
    svg = figures.effect_direction([synthesise(CARE, forms), synthesise(WELL, forms)], ordered)
    assert texts(svg).count("1") == 3
    assert texts(svg).count("2") == 1
    assert "risk of bias: not judged" in texts(svg)
    assert "4 studies in rows" in drawn(svg)[1].text


def test_pictures_hold_hostile_labels_as_text():
    form = study("a", result("care"), label="<script>&\x00\u202e")
    svg = figures.effect_direction([synthesise(replace(CARE, label="</text><a>"), [form])], snapshot(form).studies)
    assert "</text><a>" in texts(svg)
    assert "<script>&" in texts(svg)


# -- feed


def feed(snap, number=1, **options):
    return feedparser.parse(site.build(snap, number, "extraction of A & <B>", **options).files["changes.atom"])


def test_the_feed_parses_and_has_an_entry_a_version_with_a_permanent_id():
    first = site.build(snapshot(study("a", result(n=5))), 1, "an extraction")
    later = MOMENT + timedelta(days=9)
    history = (published(first),)
    found = feed(snapshot(study("a", result(n=5)), study("b", result(n=5)), history=history, moment=later), 2)
    assert not found.bozo
    assert [entry.id for entry in found.entries] == [
        "tag:livereview,2026:small-review/v/2",
        "tag:livereview,2026:small-review/v/1",
    ]
    assert [{tag.term for tag in entry.tags} for entry in found.entries] == [
        {"strengthened", "conclusion-changed"},
        {"first"},
    ]
    assert found.entries[0].summary.startswith("Cause: extraction of A & <B>. New studies: b.")
    assert found.entries[0].updated == found.feed.updated == "2026-03-12T02:05:00Z"
    assert found.entries[1].updated == "2026-03-03T02:05:00Z"
    assert feed(snapshot(), 1).entries[0].id == found.entries[1].id


def test_entries_of_old_versions_do_not_change():
    first = site.build(snapshot(study("a", result())), 1, "an extraction")
    snap = snapshot(study("a", result()), study("b", result()), history=(published(first),))
    second = site.build(snap, 2, "more")
    third = replace(snap, history=(*snap.history, published(second, 2)))
    assert feedparser.parse(second.files["changes.atom"]).entries == feed(third, 3).entries[1:]


# -- tables


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_the_tables_hold_every_study_result_and_exclusion():
    form = study("a", result("care", n=12), result(effect=0.1234567, measure="SMD"), country="Wales")
    snap = snapshot(form, excluded=(report("x", reason="Wrong design", doi="10.1000/x", authors=("A, B", "C, D")),))
    assert rows(tables.studies_csv(snap))[0]["country"] == "Wales"
    assert [(row["outcome"], row["n"], row["effect"]) for row in rows(tables.effects_csv(snap))] == [
        ("care", "12", ""),
        ("well", "", "0.1234567"),
    ]
    excluded = rows(tables.exclusions_csv(snap))[0]
    assert (excluded["authors"], excluded["reason"]) == ("A, B | C, D", "Wrong design")
    assert excluded["link"] == "https://doi.org/10.1000/x"
    waiting = replace(snap, studies=(replace(snap.studies[0], extraction=None),))
    assert rows(tables.studies_csv(waiting))[0]["year"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|x", "%0"])
def test_a_cell_never_starts_a_formula(text):
    assert tables.cell(text).startswith("'")


@pytest.mark.parametrize("value", [-0.5, 3, "-0.5", "+3", "plain", "a=b", None, ""])
def test_numbers_and_plain_text_stay_as_they_are(value):
    assert tables.cell(value) == ("" if value is None else str(value))


@given(st.text())
def test_any_text_is_a_safe_cell_that_reads_back_as_one_row(text):
    content = tables.table(("a",), [[f"x{text}"], [text]])
    read = list(csv.reader(io.StringIO(content.decode())))
    assert len([row for row in read if row]) in (2, 3)
    assert tables.cell(text)[:1] not in tuple("=@") or not text


# -- words


def test_dates_are_english_and_utc():
    assert words.day(datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))) == "28 February 2026"
    assert words.iso(datetime(2026, 12, 1, 5, 6, 7, 999, tzinfo=UTC)) == "2026-12-01T05:06:07Z"
    assert (words.day(None), words.iso(None)) == (None, None)


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 2 * * *", "every day at 02:00 (Europe/London)"),
        ("30 6 * * mon", "every Monday at 06:30 (Europe/London)"),
        ("0 6 * * 0", "every Sunday at 06:00 (Europe/London)"),
        ("5 4 1 * *", "on day 1 of each month at 04:05 (Europe/London)"),
        ("*/5 * * * *", "on the schedule “*/5 * * * *” (Europe/London)"),
        ("0 2 * * 1-5", "on the schedule “0 2 * * 1-5” (Europe/London)"),
    ],
)
def test_a_schedule_is_told_in_words_where_it_is_simple(cron, told):
    assert words.schedule(cron, "Europe/London") == told


def test_effects_are_told_with_measure_and_interval_or_as_not_reported():
    assert words.effect(result()) == "size not reported"
    assert words.effect(result(measure="SMD", effect=-0.2)) == "SMD −0.2 (no interval reported)"
    assert (
        words.effect(result(measure="OR", effect=1234.5, ci_low=2.0, ci_high=3000.0))
        == "OR 1,234 (95% interval 2 to 3,000)"
    )


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"doi": "10.1000/a(1)<2::x>3.0;2-#"}, "https://doi.org/10.1000/a(1)%3C2::x%3E3.0;2-%23"),
        ({"pmid": "123"}, "https://pubmed.ncbi.nlm.nih.gov/123/"),
        ({"url": "https://example.org/a?b=c"}, "https://example.org/a?b=c"),
        ({"url": "javascript:alert(1)"}, None),
        ({"url": "https://a@evil.example/"}, None),
        ({"url": "http://[broken"}, None),
        ({"url": "data:text/html,x"}, None),
        ({"pmid": "1; DROP"}, None),
        ({}, None),
    ],
)
def test_only_plain_addresses_become_links(fields, address):
    assert words.link(Record("openalex", "W1", **fields)) == address


def test_tidy_keeps_letters_of_every_script_and_drops_what_turns_text_around():
    assert words.tidy("Łódź 東京 \u202eabc\u2066\x00\ud800\n") == "Łódź 東京 abc\n"


# -- data


def test_the_stamp_reaches_as_far_as_the_weakest_regular_search():
    protocol = review()
    imported = replace(protocol.searches[0], name="old-files", source="ris")
    snap = snapshot(
        review=replace(protocol, searches=(*protocol.searches, imported)),
        searches=(
            fact("openalex"),
            fact("crossref", last_success=MOMENT - timedelta(days=2)),
            fact("old-files", last_success=None),
        ),
    )
    status = data.status(snap)
    assert (status["searched_to"], status["stale"]) == ("2026-03-01T02:05:00Z", False)
    assert status["stale_after"] == "2026-04-15T02:05:00Z"
    assert [one["alert"] for one in status["searches"]] == [None, None, None]


def test_dump_refuses_nan():
    with pytest.raises(ValueError, match="JSON"):
        data.dump({"x": float("nan")})


def test_the_summary_keeps_quality_apart_from_findings():
    told = study("a", findings=(Finding("mechanism", "Trust.", quality=1), Finding("mechanism", "Time.", quality=3)))
    summary = json.loads(site.build(snapshot(told), 1, "x").summary)
    mechanism = next(one for one in summary["emmie"] if one["dimension"] == "mechanism")
    assert (mechanism["quality"], mechanism["quality_of"]) == (3, 4)
    assert [one["text"] for one in mechanism["findings"]] == ["Trust.", "Time."]
