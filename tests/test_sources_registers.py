"""Trial registers: CTIS' search and single trials, the WHO's exports as XML, CSV and Excel, and the
numbers under which one trial stands in several of them.

The answers are written after the registers' own forms (docs/reference/sources.md says which); none is
a recording.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook

from livereview import registrations
from livereview.errors import SourceBroken
from livereview.fetch.paging import pages
from livereview.links import LinkKind
from livereview.records import Record, Related
from livereview.sources import SOURCES
from livereview.sources.protocol import Page, Query, Window
from tests.world import Time, World, as_json, making, reply

EVER = Window(None, datetime(2026, 6, 1, tzinfo=UTC))
NUMBER = "2026-527084-15-00"
FOUND = {
    "ctNumber": NUMBER,
    "ctTitle": "Home visits for families",
    "sponsor": "University of Debrecen",
    "conditions": "Neglect",
    "decisionDateOverall": "07/10/2026",
    "decisionDate": "HU: 07/10/2026",
}
WHOLE = {
    "ctNumber": NUMBER,
    "ctStatus": "Authorised",
    "decisionDate": "2026-10-07",
    "authorizedApplication": {
        "authorizedPartI": {
            "sponsors": [{"organisation": {"name": "University of Debrecen"}}],
            "trialDetails": {
                "clinicalTrialIdentifiers": {
                    "fullTitle": "Home visits for families: a trial",
                    "secondaryIdentifyingNumbers": {
                        "nctNumber": {"number": "NCT05000001"},
                        "isrctnNumber": {"number": "ISRCTN 12345678"},
                    },
                },
                "trialInformation": {"trialObjective": {"mainObjective": "To learn."}},
            },
        },
        "eudraCt": {"eudraCtCode": "2019-001234-56"},
    },
}


def ctis(answer: object) -> Page:
    return SOURCES["ctis"].parse(json.dumps(answer).encode(), None)


def listed(total: int, *trials: dict[str, object]) -> dict[str, object]:
    return {"pagination": {"totalRecords": total, "currentPage": 1}, "data": list(trials)}


def test_a_trial_that_ctis_finds_is_read_with_its_day_before_its_month() -> None:
    (record,) = ctis(listed(1, FOUND)).records
    assert (record.registration, record.source_key) == ("2026-527084-15", NUMBER)
    assert (record.published, record.type) == ("2026-10-07", "trial")
    assert record.authors == ("University of Debrecen",) and NUMBER in (record.url or "")


def test_a_single_trial_of_ctis_names_its_numbers_in_other_registers() -> None:
    (record,) = ctis(WHOLE).records
    assert record.title == "Home visits for families: a trial" and record.abstract == "To learn."
    assert record.related == tuple(
        Related(LinkKind.REGISTERED_TWICE, f"trial:{number}")
        for number in ("2019-001234-56", "ISRCTN12345678", "NCT05000001")
    )


def test_ctis_without_a_number_is_a_reject_and_another_answer_broken() -> None:
    page = ctis(listed(2, {**FOUND, "ctNumber": None}, FOUND))
    assert len(page.records) == 1 and page.rejects[0].reason == "no EU trial number"
    with pytest.raises(SourceBroken, match="expected pagination"):
        ctis({"ctNumber": "12"})


def test_ctis_is_asked_page_by_page_in_json_until_it_has_sent_all() -> None:
    trials = [{**FOUND, "ctNumber": f"2026-{500000 + n}-15-00"} for n in range(3)]
    with World() as world, making(world, Time()) as fetcher:
        url = world.script("/search", as_json(listed(101, *trials)), as_json(listed(101, FOUND)))
        source = SOURCES["ctis"]
        request = source.request
        assert request

        def asked(query: Query, window: Window, cursor: str | None):  # type: ignore[no-untyped-def]
            return replace(request(query, window, cursor), url=url)

        got = list(pages(fetcher, replace(source, request=asked), Query('kin "foster care"'), EVER))
    bodies = [json.loads(seen.body) for seen in world.seen]
    assert len(got) == 2 and [body["pagination"]["page"] for body in bodies] == [1, 2]
    assert all(body["searchCriteria"] == {"containAll": 'kin "foster care"'} for body in bodies)
    assert world.seen[0].method == "POST"
    assert world.seen[0].headers["content-type"] == "application/json"
    assert got[0].form == (("", world.seen[0].body),)


def test_filters_of_ctis_are_its_criteria_and_a_number_asks_for_the_trial() -> None:
    request = SOURCES["ctis"].request
    assert request
    asked = request(Query("", (("medicalCondition", "neglect"),)), EVER, None)
    assert json.loads(asked.json or "")["searchCriteria"] == {"medicalCondition": "neglect"}
    single = request(Query("", (("trial", NUMBER),)), EVER, None)
    assert single.url.endswith(f"/retrieve/{NUMBER}") and single.posted is None


# --- the WHO's exports
# --------------------------------------------------------------------------------------------------

ROW = {
    "TrialID": "NCT05000001",
    "Public_title": "Home visits & families",
    "Scientific_title": "A randomised trial of home visits",
    "Primary_sponsor": "Care University",
    "Date_registration": "14/03/2024",
    "Date_registration3": "20240314",
    "Source_Register": "ClinicalTrials.gov",
    "web_address": "https://clinicaltrials.gov/study/NCT05000001",
    "Secondary_IDs": "EUCTR2019-001234-56-DE;ISRCTN12345678;grant 77",
}


def who_xml(**row: str) -> bytes:
    fields = "".join(
        f"<{name}>{value.replace('&', '&amp;')}</{name}>" for name, value in row.items()
    )
    return f"<Trials_downloaded_from_ICTRP><Trial>{fields}</Trial></Trials_downloaded_from_ICTRP>".encode()


def who_csv(**row: str) -> bytes:
    heads = ",".join(name.replace("_", " ") for name in row)
    return (heads + "\n" + ",".join(f'"{value}"' for value in row.values()) + "\n").encode()


def who_xlsx(**row: str) -> bytes:
    book = Workbook()
    assert book.active is not None
    book.active.append([name.replace("_", " ") for name in row])
    book.active.append(list(row.values()))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def comparable(record: Record) -> Record:
    return replace(record, source="", source_key="")


def test_the_whos_exports_say_the_same_as_xml_csv_and_excel() -> None:
    (of_xml,) = SOURCES["ictrp"].parse(who_xml(**ROW), None).records
    (of_csv,) = SOURCES["csv"].parse(who_csv(**ROW), None).records
    (of_xlsx,) = SOURCES["csv"].parse(who_xlsx(**ROW), None).records
    assert comparable(of_xml) == comparable(of_csv) == comparable(of_xlsx)
    assert (of_xml.title, of_xml.registration) == ("Home visits & families", "NCT05000001")
    assert (of_xml.published, of_xml.type) == ("2024-03-14", "trial")
    assert of_xml.authors == ("Care University",)
    assert {other.id for other in of_xml.related} == {
        "trial:2019-001234-56",
        "trial:ISRCTN12345678",
    }
    assert of_xml.source_key == "NCT05000001"


def test_the_whos_own_form_for_registers_is_read_too() -> None:
    body = b"""<trials><trial><main><trial_id>RBR-4abcd5</trial_id><utrn>U1111-1234-5678</utrn>
    <public_title>Visits</public_title><scientific_title>A trial of visits</scientific_title>
    <primary_sponsor>UFMG</primary_sponsor><date_registration>14/03/2024</date_registration></main>
    <secondary_ids><secondary_id><sec_id>NCT05000002</sec_id></secondary_id></secondary_ids>
    </trial></trials>"""
    (record,) = SOURCES["ictrp"].parse(body, None).records
    assert (record.registration, record.authors) == ("RBR-4ABCD5", ("UFMG",))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (who_xml(**ROW)[:-40], "damaged or cut off"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><trials><trial/></trials>", "entities"),
        (b"<xml><records/></xml>", "WHO ICTRP export"),
    ],
)
def test_what_is_no_whole_export_of_the_whos_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(SourceBroken, match=words):
        SOURCES["ictrp"].parse(body, None)


def test_a_trial_without_a_number_that_is_known_is_a_reject() -> None:
    page = SOURCES["ictrp"].parse(who_xml(**{**ROW, "TrialID": "local 7"}), None)
    assert page.records == () and "no number" in page.rejects[0].reason


def test_the_table_of_clinicaltrials_gov_is_one_of_trials() -> None:
    table = (
        "NCT Number,Study Title,Study URL,Brief Summary,Sponsor,Other IDs,First Posted\n"
        "NCT05000001,Home visits,https://clinicaltrials.gov/study/NCT05000001,About them.,"
        "Care University,2019-001234-56|ABC,2024-03-14\n"
    )
    (record,) = SOURCES["csv"].parse(table.encode(), None).records
    assert (record.registration, record.type) == ("NCT05000001", "trial")
    assert record.related == (Related(LinkKind.REGISTERED_TWICE, "trial:2019-001234-56"),)
    assert (record.abstract, record.published) == ("About them.", "2024-03-14")


def test_the_table_of_overton_is_one_of_reports() -> None:
    table = (
        "Overton id,Title,Translated title,Document type,Source title,Source country,Published_on,"
        "Document URL,Overton URL,Policy authors,Languages\n"
        "gov-1,Keeping families together,,Publication,Department for Education,UK,2024-03-14,"
        "https://gov.example/doc.pdf,https://app.overton.io/document.php?id=gov-1,"
        '"Doe, Ann; Roe, Bo",English\n'
    )
    (record,) = SOURCES["csv"].parse(table.encode(), None).records
    assert (record.type, record.container_title) == ("report", "Department for Education")
    assert (record.published, record.url) == ("2024-03-14", "https://gov.example/doc.pdf")
    assert record.authors == ("Doe, Ann", "Roe, Bo")


def test_a_sponsor_is_no_author_of_an_article() -> None:
    table = "Title,Authors,Year,Sponsor\nVisits,,2024,Care University\n"
    (record,) = SOURCES["csv"].parse(table.encode(), None).records
    assert record.authors == () and record.registration is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("EudraCT number: 2012-003632-23", {"2012-003632-23"}),
        ("EUCTR2012-003632-23-CZ and EudraCT 2012-003632-23", {"2012-003632-23"}),
        ("from 2012-003632-23 on", set()),
        ("isrctn 12345678, ISRCTN12345678", {"ISRCTN12345678"}),
        ("JPRN-UMIN000012345 = UMIN000012345", {"UMIN000012345"}),
        ("jRCTs031180001; jRCT1031220001", {"JRCTS031180001", "JRCT1031220001"}),
        ("ChiCTR2000030000, ChiCTR-IPR-17010000", {"CHICTR2000030000", "CHICTRIPR-17010000"}),
        ("CTRI/2020/01/022345 NCT0123456 NCT012345678", {"CTRI/2020/01/022345"}),
        ("a control of introductions", set()),
        ("UTN U1111-1234-5678, NTR1234", {"U1111-1234-5678", "NTR1234"}),
    ],
)
def test_a_number_is_one_however_it_is_written(text: str, numbers: set[str]) -> None:
    assert registrations.in_text(text) == numbers


def test_a_field_for_numbers_may_hold_a_bare_one() -> None:
    assert registrations.in_field("2012-003632-23") == {"2012-003632-23"}
    assert registrations.own("CTIS2022-500001-01-00") == "2022-500001-01"
    assert registrations.own("local 7") is None and registrations.own(None) is None


def test_a_busy_register_is_for_later() -> None:
    with World() as world, making(world, Time()) as fetcher:
        url = world.script("/search", reply(b"slow down", 429, retry_after=1), as_json(listed(0)))
        source = SOURCES["ctis"]
        request = source.request
        assert request
        waits = replace(
            source,
            request=lambda query, window, cursor: replace(request(query, window, cursor), url=url),
        )
        got = list(pages(fetcher, waits, Query("kin"), EVER))
    assert len(got) == 1 and len(world.seen) == 2
