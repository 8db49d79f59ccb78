"""How the page says dates, schedules, effects and links."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from livereview.records import Record
from livereview.summary import words
from tests.snapshots import result


def test_dates_are_english_and_utc():
    assert (
        words.day(datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))))
        == "28 February 2026"
    )
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
