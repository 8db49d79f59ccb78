"""The owner tells its operator itself, once for each thing, and goes silent where it can't."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from livereview import alerts, systemd
from livereview import settings as settings_module
from livereview.cli import app as commands
from livereview.errors import Refused, Retry
from livereview.notices import alarm
from livereview.notices.alarm import Alarm, Told
from livereview.ops import surveil
from livereview.ops.urgent import urgent
from livereview.settings import Settings
from livereview.store import searches, vitals
from livereview.store.open import Connection, Store
from livereview.web import serve
from tests.conftest import NOW, REVIEW, article, found
from tests.world import World, reply

DISK, NIGHT = Alarm("disk", "the disk is nearly full: 3 MB"), Alarm("night a", "a: did not run")
MINUTE = timedelta(minutes=1)
UNITS = Path(__file__).resolve().parents[1] / "deploy" / "systemd"


# When something is told


def test_what_is_new_is_told_once_and_what_is_over_too() -> None:
    told = Told()
    first = alarm.news(told, [DISK], NOW)
    assert first is not None and first.fresh == (DISK.words,)
    told = alarm.after([DISK], NOW)
    fuller = Alarm("disk", "the disk is nearly full: 2 MB")
    assert alarm.news(told, [fuller], NOW + MINUTE) is None
    assert alarm.news(told, [fuller, NIGHT], NOW + MINUTE) is None, "a message a quarter of an hour"
    later = alarm.news(told, [NIGHT], NOW + alarm.BETWEEN)
    assert later is not None
    assert (later.fresh, later.standing, later.over) == ((NIGHT.words,), (), (DISK.words,))
    well = alarm.news(told, [], NOW + alarm.BETWEEN)
    assert well is not None and alarm.subject(well) == "livereview: all is well again"


def test_what_stands_is_told_again_each_day_and_nothing_is_told_where_nothing_ever_was() -> None:
    told = alarm.after([DISK], NOW)
    assert alarm.news(told, [DISK], NOW + timedelta(hours=23)) is None
    again = alarm.news(told, [DISK], NOW + alarm.AGAIN)
    assert again is not None and again.standing == (DISK.words,)
    assert alarm.news(Told(), [], NOW) is None
    assert alarm.news(alarm.after([], NOW), [], NOW + 9 * alarm.AGAIN) is None


def test_a_clock_that_was_ahead_silences_nobody() -> None:
    told = alarm.after([DISK], NOW + timedelta(days=400))
    assert alarm.news(told, [NIGHT], NOW) is not None


@given(st.lists(st.sets(st.sampled_from("abcd")), max_size=40))
def test_who_is_told_knows_what_stands_after_a_quarter_of_an_hour(looks: list[set[str]]) -> None:
    told, now = Told(), NOW
    for keys in looks:
        now += MINUTE
        alarms = [Alarm(key, key) for key in sorted(keys)]
        if alarm.news(told, alarms, now):
            told = alarm.after(alarms, now)
        if told.at and now - told.at >= alarm.BETWEEN:
            assert told.alarms.keys() == keys
    final = [Alarm(key, key) for key in sorted(looks[-1])] if looks else []
    if alarm.news(told, final, now + alarm.BETWEEN):
        told = alarm.after(final, now)
    assert told.alarms.keys() == {each.key for each in final}


def test_no_title_breaks_out_of_its_line() -> None:
    news = alarm.News(("a\nSubject: x\u202e",), (), ())
    assert "\n" not in alarm.subject(news)
    assert "\n- a Subject: x\n" in alarm.text(news, "https://r.example.org")
    assert "<b>" not in alarm.mail(alarm.News(("<b>",), (), ()), "").html


# What can't wait


def begin(store: Store, name: str, outcome: str) -> None:
    def job(con: Connection) -> None:
        from livereview.ops.protocols import protocol

        plan = protocol(con, REVIEW).searches[0]
        searches.begin(con, name, REVIEW, plan, searches.Run("search", None, NOW), NOW)
        searches.end(con, name, outcome, "503", searches.Counts(), None, NOW)

    store.write(job)


def kinds(store: Store, settings: Settings, hours: float = 0.0) -> set[str]:
    """The first word of each alarm's key, so long after NOW."""
    now = NOW + timedelta(hours=hours)
    return {each.key.split()[0] for each in urgent(store, folder=settings.site, now=now)}


def test_a_night_that_failed_twice_is_late_or_did_not_begin_can_not_wait(
    reviewed: Store, settings: Settings
) -> None:
    found(reviewed, article(1))
    assert kinds(reviewed, settings) == set()
    begin(reviewed, "f1", "failed")
    assert kinds(reviewed, settings) == set(), "a source's bad night is over in the next"
    begin(reviewed, "f2", "partial")
    assert kinds(reviewed, settings) == {"failing"}
    begin(reviewed, "f3", "ok")
    assert kinds(reviewed, settings) == set()
    assert "night" in kinds(reviewed, settings, hours=48)


def test_a_schedule_that_fell_silent_and_a_lost_log_can_not_wait(
    reviewed: Store, settings: Settings
) -> None:
    sign = vitals.SignOfLife(vitals.SCHEDULE, "2 reviews", True, NOW - timedelta(hours=1))
    reviewed.write(lambda con: vitals.save_sign(con, sign))
    reviewed.torn.write(7)
    assert kinds(reviewed, settings) == {"schedule", "database"}


def test_a_database_that_does_not_answer_is_told(
    reviewed: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Store, seconds: float = 60.0) -> None:
        raise Retry("it took over 60 s")

    monkeypatch.setattr(Store, "read", away)
    assert [each.key for each in urgent(reviewed, folder=settings.site, now=NOW)] == ["answer"]


def test_a_retired_review_calls_nobody(reviewed: Store, settings: Settings, protocol: str) -> None:
    begin(reviewed, "f1", "failed")
    begin(reviewed, "f2", "failed")
    retired = protocol.replace("[living]", '[living]\nstatus = "retired"')
    surveil.register(reviewed, text=retired, now=NOW + MINUTE)
    assert kinds(reviewed, settings, hours=48) <= {"publisher"}, "its last version is not built"


# How it is told


@pytest.fixture
def world() -> Iterator[World]:
    with World() as opened:
        yield opened


def told_settings(world: World, home: Path, **more: str) -> Settings:
    return settings_module.read(
        {
            "LIVEREVIEW_ALERT_WEBHOOK": f"{world.base}/hook/secret-part",
            "LIVEREVIEW_PING_URL": f"{world.base}/ping",
            "LIVEREVIEW_URL": "https://r.example.org",
            **more,
        },
        home,
    )


def test_a_receiver_that_is_away_hears_of_it_as_soon_as_it_is_back(
    world: World, tmp_path: Path
) -> None:
    chosen = told_settings(world, tmp_path)
    world.script("/hook/secret-part", reply("busy", 503), reply("thanks"))
    world.script("/ping", reply("ok"))
    (problem,) = alerts.Teller(chosen, tmp_path).look([DISK], NOW)
    assert problem == "webhook: the receiver answered 503"
    assert alerts.Teller(chosen, tmp_path).look([DISK], NOW + MINUTE) == []
    restarted = alerts.Teller(chosen, tmp_path)
    assert restarted.look([DISK], NOW + 2 * MINUTE) == []
    posts = [seen for seen in world.seen if seen.path.startswith("/hook")]
    assert len(posts) == 2, "a restart tells nothing again"
    assert not [seen for seen in world.seen if seen.path == "/ping"], "something is wrong"
    assert restarted.look([], NOW + 2 * alarm.BETWEEN) == []
    assert [seen.path for seen in world.seen[2:]] == ["/hook/secret-part", "/ping"]


def test_the_ping_comes_each_five_looks_while_all_is_well(world: World, tmp_path: Path) -> None:
    world.script("/ping", reply("ok"))
    teller = alerts.Teller(told_settings(world, tmp_path), tmp_path)
    for number in range(11):
        teller.look([], NOW + number * MINUTE)
    assert [seen.path for seen in world.seen] == ["/ping"] * 3


def test_no_problem_repeats_a_secret_address(tmp_path: Path) -> None:
    nowhere = {"LIVEREVIEW_ALERT_WEBHOOK": "http://127.0.0.1:1/hook/secret-part"}
    teller = alerts.Teller(settings_module.read(nowhere, tmp_path), tmp_path)
    (problem,) = teller.look([DISK], NOW)
    assert problem == "webhook: no answer came (ConnectionError)"
    with pytest.raises(Refused) as refused:
        settings_module.read({"LIVEREVIEW_PING_URL": "secret-part"})
    assert "secret-part" not in refused.value.message
    assert "secret-part" not in repr(settings_module.read(nowhere, tmp_path))


def test_mail_goes_to_each_address_and_is_refused_where_none_can_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[EmailMessage] = []
    monkeypatch.setattr(alerts, "smtp", lambda message, server: sent.append(message))
    with pytest.raises(Refused, match="also needs LIVEREVIEW_SMTP and LIVEREVIEW_MAIL_FROM"):
        settings_module.read({"LIVEREVIEW_ALERT_MAIL": "ops@example.org"})
    mailing = {
        "LIVEREVIEW_ALERT_MAIL": "ops@example.org, night@example.org",
        "LIVEREVIEW_SMTP": "smtp://localhost",
        "LIVEREVIEW_MAIL_FROM": "livereview@example.org",
    }
    alerts.Teller(settings_module.read(mailing, tmp_path), tmp_path).look([DISK, NIGHT], NOW)
    assert [message["To"] for message in sent] == ["ops@example.org", "night@example.org"]
    assert sent[0]["Subject"] == "livereview: 2 alarms"
    assert oct((tmp_path / "alerts.json").stat().st_mode)[-3:] == "600"


def test_a_command_tells_without_an_owner(world: World, tmp_path: Path) -> None:
    world.script("/hook", reply("ok"))
    there = {"LIVEREVIEW_ALERT_WEBHOOK": f"{world.base}/hook", "LIVEREVIEW_HOME": str(tmp_path)}
    ran = CliRunner().invoke(commands, ["alert", "livereview.service failed"], env=there)
    assert ran.exit_code == 0 and ran.output == "told: webhook\n"
    assert not list(tmp_path.iterdir())
    nobody = {"LIVEREVIEW_ALERT_WEBHOOK": "", "LIVEREVIEW_HOME": str(tmp_path)}
    assert CliRunner().invoke(commands, ["alert", "x"], env=nobody).exit_code == 2


# systemd


def test_systemd_hears_words_and_silence_where_the_owner_hangs(
    reviewed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0livereview-test-" + str(os.getpid()))
        monkeypatch.setenv("NOTIFY_SOCKET", f"@livereview-test-{os.getpid()}")
        systemd.notify("READY=1")
        assert listening.recv(100) == b"READY=1"
    systemd.notify("nobody listens any more")
    assert serve.works(reviewed)
    reviewed._main._busy_since = -10_000.0
    assert not serve.works(reviewed)
    reviewed._main._busy_since = None
    time = [0.0]
    reviewed.heartbeats = vitals.Heartbeats(clock=lambda: time[0])
    reviewed.heartbeats.beat(serve.EVENT_LOOP)
    time[0] = serve.HANGS + 1
    assert not serve.works(reviewed)


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_as_systemd_asks(
    environment: dict[str, str], seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert systemd.watchdog_seconds() == seconds


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there")
@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda path: path.name)
def test_every_unit_is_shut_off_from_the_machine(unit: Path) -> None:
    """An exposure of 2.0 at most, in the eyes of `systemd-analyze security`."""
    asked = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    judged = subprocess.run(asked, capture_output=True, text=True, check=False)
    if "Failed to connect" in judged.stderr or "Unknown" in judged.stderr:
        pytest.skip(judged.stderr)
    assert judged.returncode == 0, judged.stdout[-3_000:] + judged.stderr


def test_what_a_webhook_is_sent_is_json_with_a_text_for_chats(world: World, tmp_path: Path) -> None:
    event = alarm.event(alarm.News((DISK.words,), (), ()), "https://r.example.org", NOW)
    assert json.loads(json.dumps(event)) == event
    assert event["event"] == "service.alarm" and DISK.words in event["text"]
