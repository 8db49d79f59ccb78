"""The published folder: deterministic, inert, well formed, and honest about what it lacks."""

import gzip
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from random import Random

import jsonschema
import pytest

from livereview.errors import Refused
from livereview.evidence.forms import EmmieFinding
from livereview.review import Area, Screening, Statement
from livereview.summary import front, site, words
from tests.snapshots import MOMENT, fact, published, report, result, review, snapshot, study

VOID = {"meta", "link", "br"}
HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)> \u202egnp.exe {{ 7 * 7 }} <b>&amp;'


class Page(HTMLParser):
    """The elements of a page; fails where tags do not nest."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.words, self.scripts = [], [], [], []
        self.feed(html)
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        kind = self.scripts if self.open and self.open[-1] in ("script", "style") else self.words
        kind.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page(snap, name="index.html", number=1, **options):
    return Page(site.build(snap, number, "an extraction", **options).files[name].decode())


def everything_shown(snap):
    """The words of the first page and of those behind it."""
    files = site.build(snap, 1, "an extraction").files
    names = ("index.html", "studies.html", "methods.html")
    return " ".join(Page(files[name].decode()).text for name in names)


def full():
    """A Snapshot with something in every section of the page."""
    protocol = review(
        taxonomy=(Area("mentoring", "Mentoring"),),
        statements=(
            Statement("a", "answer", "We can't say yet."),
            Statement("e1", "explanations", "It may be poorly evaluated."),
            Statement("m", "mechanism", "Trust grows."),
        ),
    )
    told = (
        EmmieFinding("implementation", "Staff left.", "They left", "12", 3, "barrier"),
        EmmieFinding("economics", "Dear."),
    )
    one = study("a", result("care", n=1200), result(n=90, measure="SMD", effect=0.123456789, ci_low=-0.1, ci_high=0.3),
                year=2009, caution="Take care.", area="mentoring", risk_of_bias="high", findings=told)  # fmt: skip
    two = study("b", result("well", "favours_comparison", note="SECRET NOTE"), participants=55)
    return snapshot(
        one,
        two,
        excluded=(report("x", reason="Wrong design", authors=("Ode, A.",)),),
        review=protocol,
    )


def test_the_same_snapshot_gives_the_same_bytes():
    first, second = (site.build(full(), 1, "an extraction") for _ in range(2))
    assert first == second
    assert set(first.files) >= {
        "index.html",
        "summary.json",
        "studies.csv",
        "changes.atom",
        "prisma.svg",
        "SHA256SUMS",
    }


def test_the_sums_are_those_of_the_files():
    files = site.build(full(), 1, "an extraction").files
    lines = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert lines == {
        name: hashlib.sha256(body).hexdigest()
        for name, body in files.items()
        if name != "SHA256SUMS"
    }


def test_a_new_search_that_finds_nothing_new_is_no_new_content():
    snap = full()
    first = site.build(snap, 1, "an extraction")
    later = MOMENT + timedelta(days=1)
    flow = replace(
        snap.flow, identified_databases=snap.flow.identified_databases + 5, awaiting_screening=7
    )
    searched = replace(
        snap,
        moment=later,
        flow=flow,
        searches=tuple(fact(f.name, last_success=later) for f in snap.searches),
    )
    again = site.build(replace(searched, history=(published(first),)), 2, "a search")
    assert (again.content_hash, again.change) == (first.content_hash, "none")
    refreshed = site.build(searched, 1, "an extraction", None, MOMENT).files
    assert refreshed["status.json"] != first.files["status.json"]
    assert refreshed["changes.atom"] == first.files["changes.atom"]
    assert "version 1, 3 March 2026" in Page(refreshed["index.html"].decode()).text


def test_evidence_and_protocol_are_content():
    snap = full()
    fewer = replace(snap.flow, included=1, studies=1, assessed=2, not_retrieved=2)
    hashes = {site.build(one, 1, "x").content_hash for one in (
        snap,
        replace(snap, studies=snap.studies[:1], flow=fewer),
        replace(snap, review=replace(snap.review, statements=())),
        replace(snap, review=replace(snap.review, title="Another")),
    )}  # fmt: skip
    assert len(hashes) == 4


def test_comments_in_the_protocol_and_who_adjudicates_are_no_content():
    snap = full()
    other = replace(
        snap.review, text="# comment", hash="x", screening=Screening(2, adjudicators=("chidi",))
    )
    assert site.build(replace(snap, review=other), 1, "x") == site.build(snap, 1, "x")


def test_a_second_version_tells_what_changed():
    first = site.build(snapshot(study("a", result(n=9))), 1, "an extraction")
    effect = {"measure": "SMD", "effect": 0.5, "ci_low": 0.3, "ci_high": 0.7}
    free = review(living=replace(review().living, sign_off=False))
    studies = (study("a", result(n=9)), study("b", result(n=9, **effect)))
    second = snapshot(*studies, history=(published(first),), review=free)
    build = site.build(second, 2, "extraction of B", "The review lead")
    summary = json.loads(build.summary)
    assert build.change == "new_finding"
    assert summary["version"]["conclusion_changed"] is True
    assert summary["changed"]["studies_added"] == ["b"]
    assert [one["number"] for one in summary["versions"]] == [2, 1]
    text = Page(build.files["index.html"].decode()).text
    assert "Did the conclusion change? Yes : A new finding" in text
    assert "Signed off by The review lead" in text
    assert "New study: B" in text


def test_summary_json_fits_its_schema():
    for snap in (snapshot(), full(), snapshot(searches=(), review=review(emmie=False))):
        files = site.build(snap, 1, "x").files
        schema = json.loads(files["summary.schema.json"])
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(files["summary.json"], parse_constant=pytest.fail), schema)


def test_the_schema_would_notice_states_that_merge():
    files = site.build(full(), 1, "x").files
    schema, summary = json.loads(files["summary.schema.json"]), json.loads(files["summary.json"])
    summary["findings"][0]["state"] = "insufficient_evidence"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(summary, schema)


def test_numbers_are_unrounded_and_unknown_ones_are_null_with_a_reason():
    summary = json.loads(site.build(full(), 1, "x").summary)
    assert summary["studies"][0]["results"][1]["effect"] == 0.123456789
    assert summary["studies"][0]["results"][1]["display"] == "SMD 0.1235 (95% interval −0.1 to 0.3)"
    assert summary["findings"][0]["estimate"] is None
    assert summary["findings"][0]["why"] == "no study reports a size, only words"
    assert summary["findings"][0]["certainty"] is None
    assert summary["findings"][0]["certainty_reason"] == "nobody has rated it yet"


@pytest.mark.parametrize(
    "snap", [snapshot(), snapshot(study("a", result("care"))), full()], ids=["empty", "one", "full"]
)
def test_the_page_is_well_formed_and_needs_nothing_from_outside(snap):
    build = site.build(snap, 1, "x")
    found = Page(build.files["index.html"].decode())
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in found.all("a") + found.all("link"):
        address = link["href"]
        assert (
            address.startswith(("#", "https://doi.org/", "../v/", "data:"))
            or address.partition("#")[0] in build.files
        ), address
        assert not address.startswith("#") or address[1:] in ids, address
    assert [script["type"] for script in found.all("script")] == ["application/ld+json"]
    assert not found.all("img") + found.all("iframe") + found.all("object")
    assert "url(" not in found.scripts[0]
    assert len(found.all("table")) == len(found.all("caption"))
    assert all("scope" in head for head in found.all("th"))
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_hostile_text_stays_text_everywhere():
    one = study("a", result("care", construct=HOSTILE), label=HOSTILE, caution=HOSTILE, country=HOSTILE,
                findings=(EmmieFinding("mechanism", HOSTILE, HOSTILE),))  # fmt: skip
    bad = report(
        "x",
        title=HOSTILE,
        authors=(HOSTILE,),
        url="javascript:alert(1)",
        doi='10.1000/"><script>',
        reason=HOSTILE,
    )
    protocol = review(
        title=HOSTILE, authors=(HOSTILE,), statements=(Statement("s", "answer", HOSTILE),)
    )
    searches = (fact("openalex", query=HOSTILE, last_outcome="failed", last_error=HOSTILE),)
    build = site.build(
        snapshot(one, excluded=(bad,), review=protocol, searches=searches), 1, HOSTILE, HOSTILE
    )
    found = Page(build.files["index.html"].decode())
    assert len(found.all("script")) == 1
    assert not found.all("img") + found.all("b")
    assert not [
        name for _, attributes in found.elements for name in attributes if name.startswith("on")
    ]
    assert not [link["href"] for link in found.all("a") if link["href"].startswith("javascript:")]
    article, _ = json.loads(found.scripts[-1])["@graph"]
    assert article["name"] == words.tidy(HOSTILE)
    assert "</script><script>" not in build.files["index.html"].decode()
    assert "\u202e" not in build.files["index.html"].decode()
    assert "49" not in [word for word in found.text.split() if word.isdigit()]
    assert (
        Page(front.files([front.Entry("r", build.summary)])["index.html"].decode()).all("script")
        == []
    )


def test_a_lone_half_of_a_character_does_not_stop_publication():
    snap = snapshot(
        study("a", result("care")),
        excluded=(report("x", title="bad \ud800 title\x00", reason="r"),),
    )
    assert b"bad" in site.build(snap, 1, "x").files["exclusions.csv"]


def test_notes_and_names_of_reviewers_are_in_no_public_byte():
    protocol = replace(full().review, screening=Screening(2, adjudicators=("chidi",)))
    searches = (fact("openalex", last_outcome="failed", last_error="503 for ada@example.org"),)
    files = site.build(replace(full(), review=protocol, searches=searches), 1, "x").files
    everything = b"".join(files.values())
    assert b"SECRET NOTE" not in everything
    assert b"chidi" not in everything
    assert b"example.org" not in everything


def test_the_page_says_what_it_must_of_one_study_and_of_none():
    text = page(full()).text
    assert "Lack of evidence is not evidence that it does not work." in text
    assert "There is too little evidence on children entering care and wellbeing." in text
    assert "Take care." in text
    assert "1 explanation that stands The review team says: It may be poorly evaluated." in text
    assert "What got in the way A Staff left. They left (p. 12) (quality 3 of 4)" in text
    empty = everything_shown(snapshot())
    assert empty.count("Not yet assessed") >= 2
    assert "No study has been extracted yet" in empty
    assert "No study has been included yet." in empty


def test_failed_suspicious_and_missing_searches_are_shown_plainly():
    searches = (
        fact(
            "openalex",
            last_outcome="failed",
            last_error="HTTP 503",
            last_success=MOMENT - timedelta(days=3),
        ),
        fact("crossref", last_outcome="ok-zero", silent=True),
    )
    text = page(snapshot(searches=searches)).text
    assert "openalex API (openalex): failed: HTTP 503. Last success: 28 February 2026." in text
    assert "found nothing, which is unusual for this source" in text
    assert "Searches complete to 28 February 2026" in text
    never = page(snapshot(searches=(fact("openalex"), fact("crossref", last_success=None)))).text
    assert "no successful search yet: crossref. This page may miss studies." in never


def test_an_old_search_warns_and_every_page_says_until_when_it_holds():
    old = MOMENT - timedelta(days=60)
    text = page(
        snapshot(searches=tuple(fact(name, last_success=old) for name in ("openalex", "crossref")))
    ).text
    assert "The last complete search is from 2 January 2026, more than 45 days before" in text
    assert "not to be relied on after 17 April 2026" in page(snapshot()).text


def test_a_retracted_report_is_marked():
    snap = snapshot(study("a", result("care")))
    marked = replace(snap.studies[0], reports=(report("a", retraction="retracted"),))
    retracted = replace(snap, studies=(marked,))
    assert "Has a retracted or questioned report" in page(retracted).text
    assert "Retracted." in page(retracted, "study-a.html").text
    worry = replace(snap.studies[0], reports=(report("a", retraction="expression-of-concern"),))
    text = page(replace(snap, studies=(worry,)), "studies.html").text
    assert "Marked as expression of concern." in text


def test_a_flow_that_does_not_balance_stops_the_build():
    snap = snapshot(study("a", result("care")))
    with pytest.raises(Refused, match="screened is 12, but excluded"):
        site.build(replace(snap, flow=replace(snap.flow, excluded=5)), 1, "x")


def test_five_hundred_studies_keep_the_page_small_and_say_what_is_left_out():
    random = Random(1)

    letters = "aaabcdeeeefghiiijklmnnooprrssttuuvw"
    vocabulary = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(2500)]

    def prose(n):
        return " ".join(random.choices(vocabulary, k=n))

    many = [
        study(f"s{n}", result("care", n=n + 1, construct=prose(4)), result(n=n + 1), population=prose(20),
              intervention=prose(20), design=prose(6), caution=prose(20))
        for n in range(500)
    ]  # fmt: skip
    excluded = tuple(
        report(f"x{n}", title=prose(15), authors=(prose(2), prose(2)), reason="Wrong")
        for n in range(900)
    )
    build = site.build(snapshot(*many, excluded=excluded), 1, "x")
    assert len(gzip.compress(build.files["index.html"])) <= 30_000
    text = Page(build.files["index.html"].decode()).text
    assert re.search(r"The first \d+ of 500 are shown here; all are in studies.html", text)
    assert len(gzip.compress(build.files["studies.html"])) <= 60_000
    text = Page(build.files["studies.html"].decode()).text
    assert re.search(r"The first \d+ of 500 are shown here; all are in studies.csv", text)
    assert "study-s499.html" in build.files
    assert re.search(r"The first \d+ of 900 are shown here; all are in exclusions.csv", text)
    assert len(build.files["effects.csv"].splitlines()) == 1001
    assert len(build.files["exclusions.csv"].splitlines()) == 901


def test_links_to_other_versions_start_where_the_caller_says():
    links = [link["href"] for link in page(full(), home="../../").all("a")]
    assert "../../v/1/#changed" in links


def test_the_library_lists_every_review_with_its_last_change():
    one = site.build(full(), 1, "x")
    files = front.files([front.Entry("small-review", one.summary)])
    listed = json.loads(files["index.json"])["reviews"]
    assert [(row["review"], row["version"], row["change"], row["studies"]) for row in listed] == [
        ("small-review", 1, "first", 2)
    ]
    found = Page(files["index.html"].decode())
    assert {link["href"] for link in found.all("a")} == {
        *("small-review/latest/", "index.json"),
        *("search.html", "changes.html", "changes.atom"),
    }
    assert "Changed in the 90 days to 3 March 2026" in found.text, (
        "as of its last event, however long the page lies there"
    )
    assert "No review has been published yet." in Page(front.files([])["index.html"].decode()).text


def test_readers_are_told_where_to_suggest_a_study():
    """Only where the protocol says at which address the public reaches the form."""
    form = "https://reviews.example.org/suggest/mentoring"
    told = page(snapshot(review=review(suggestions=form)))
    assert {"href": form} in told.all("a") and "Suggest it" in told.text
    assert "Suggest it" not in page(snapshot()).text
