"""A full disk: nothing acknowledged is lost, nothing half is left, people are told, and it goes on
by itself.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from livereview import ops
from livereview.commands import Begin, Decide
from livereview.disk import Reserve, remove_leftovers
from livereview.errors import DiskFull, Refused, Retry
from livereview.fetch import Answer
from livereview.ops import publish, readiness, service, surveil
from livereview.private_files import write_private
from livereview.replay import Recorder
from livereview.settings import Settings, read
from livereview.store import condition
from livereview.store.open import CHECKPOINT_AT, Store
from livereview.web.app import create
from tests.conftest import NOW, REVIEW, Browser, article, found, secret_of
from tests.small_disk import MB, SmallDisk, small_disk

ADD = "INSERT INTO outbox (review, cause, made) VALUES ('r', ?, now())"
PDF = b"%PDF-1.7\n%s\n%%%%EOF\n"


@contextmanager
def opened(disk: SmallDisk, settings: Settings) -> Iterator[tuple[Store, Settings]]:
    """A store with the small review on that disk, without a reserve."""
    chosen = replace(settings, home=disk.folder / "home", reserve=0)
    with Store(chosen.database, chosen.memory, 1, chosen.reserve) as store:
        yield store, chosen


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 128) as mounted:
        yield mounted


def causes(store: Store) -> int:
    with store.read() as con:
        return int(con.execute("SELECT count(*) FROM outbox WHERE review = 'r'").fetchall()[0][0])


def test_what_was_acknowledged_before_the_disk_was_full_is_there_and_it_goes_on_without_a_restart(
    disk: SmallDisk, settings: Settings
) -> None:
    kept, refused = 0, 0
    with opened(disk, settings) as (store, chosen):
        disk.fill(leave=30 * MB)
        while refused < 5:
            try:
                text = os.urandom(400_000).hex()
                store.write(lambda con, text=text: con.execute(ADD, [text]))
                kept += 1
            except DiskFull as error:
                assert "the disk is full" in str(error) and "make room" in str(error)
                refused += 1
        assert kept > CHECKPOINT_AT // 800_000, (
            "the log has grown over the size at which DuckDB would checkpoint"
        )
        assert causes(store) == kept, "reading goes on"
        disk.make_room()
        store.write(lambda con: con.execute(ADD, ["after"]))
        assert causes(store) == kept + 1
        assert condition.size_of_log(chosen.database) < CHECKPOINT_AT, (
            "the log went into the file as soon as it could"
        )
    with Store(chosen.database, chosen.memory, 1, 0) as store:
        assert causes(store) == kept + 1


def test_an_upload_that_does_not_fit_leaves_nothing_and_the_next_decision_still_does(
    disk: SmallDisk, settings: Settings, protocol: str
) -> None:
    with opened(disk, settings) as (store, chosen):
        surveil.register(store, text=protocol, now=NOW)
        (record,) = found(store, article(1))
        app = create(store, chosen, token="t", clock=lambda: NOW)
        ops.team.add_account(store, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
        ada = Browser(app, secret_of("ada"))
        page = ada.get(f"/r/{REVIEW}/screen/title_abstract")
        assert "Trial 1" in page
        _, fields = ada.form("Exclude")
        disk.fill(leave=2 * MB)
        upload = {"file": ("big.pdf", PDF.replace(b"%s", os.urandom(4 * MB)), "application/pdf")}
        sent = {"record": record, "csrf": fields["csrf"], "form": "f" * 32}
        answer = ada.http.post(f"/r/{REVIEW}/full-text", data=sent, files=upload)
        assert answer.status_code == 507
        assert "disk is full" in answer.text and "make room" in answer.text
        assert not list(chosen.full_texts.glob("*")) and not list(chosen.full_texts.glob(".*"))
        assert disk.free() > MB, "the room it took is there again"
        ada.get(f"/r/{REVIEW}/screen/title_abstract")
        ada.press("Exclude")
        assert ada.page.status_code == 200
        ada.http.close()


def test_a_decision_that_does_not_fit_comes_back_with_all_that_was_typed_and_is_sent_again_by_one_button(
    disk: SmallDisk, settings: Settings, protocol: str
) -> None:
    with opened(disk, settings) as (store, chosen):
        surveil.register(store, text=protocol, now=NOW)
        found(store, article(1))
        app = create(store, chosen, token="t", clock=lambda: NOW)
        ops.team.add_account(store, name="ada", role="reviewer", secret=secret_of("ada"), now=NOW)
        ada = Browser(app, secret_of("ada"))
        ada.get(f"/r/{REVIEW}/screen/title_abstract")
        disk.fill()
        note = "a note that took long to write " * 100
        page = ada.press("Exclude", note=note)
        assert ada.page.status_code == 507
        assert "The server&#39;s disk is full" in page and note.strip() in page
        disk.make_room()
        ada.press("Send it again")
        assert ada.page.status_code == 200
        with store.read() as con:
            rows = con.execute("SELECT verdict, note FROM decision").fetchall()
        assert rows == [("exclude", note.strip())]
        ada.http.close()


def test_a_page_of_a_search_that_does_not_fit_is_told_as_that(
    disk: SmallDisk, settings: Settings, protocol: str
) -> None:
    with opened(disk, settings) as (store, chosen):
        surveil.register(store, text=protocol, now=NOW)
        begun = ops.run(store, chosen.site, Begin(review=REVIEW, name="openalex", search="s"))
        disk.fill()
        with pytest.raises(DiskFull, match="the disk is full"):
            body = os.urandom(3 * MB)
            ops.surveil.ingest(store, search=begun.search, body=body, now=NOW)
        disk.make_room()
        assert ops.surveil.ingest(store, search=begun.search, body=body, now=NOW)["problem"]


def test_a_build_that_does_not_fit_leaves_the_page_as_it_was_and_is_noted_in_words(
    disk: SmallDisk, settings: Settings, protocol: str
) -> None:
    with opened(disk, settings) as (store, _):
        site = disk.folder / "site"
        surveil.register(store, text=protocol, now=NOW)
        publish.open_review(store, id="o", review=REVIEW, by="lena", now=NOW)
        publish.settle_outbox(store, folder=site, now=NOW)
        before = sorted(site.rglob("*"))
        surveil.register(store, text=protocol.replace("A. Lead", "B. Lead"), now=NOW)
        disk.fill(leave=300_000)
        told = publish.settle_outbox(store, folder=site, now=NOW)
        assert told[REVIEW]["problem"].startswith("the disk is full")
        assert sorted(site.rglob("*")) == before
        with store.read() as con:
            problem = con.execute("SELECT problem FROM built WHERE problem IS NOT NULL")
            assert [text[:16] for (text,) in problem.fetchall()] == ["the disk is full"]
        disk.make_room()
        publish.settle_outbox(store, folder=site, now=NOW)
        assert (site / REVIEW / "v" / "2").is_dir()


def test_a_disk_that_went_read_only_is_told_as_that(disk: SmallDisk, settings: Settings) -> None:
    with opened(disk, settings) as (_, chosen):
        pass
    subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
    with pytest.raises(Refused, match="mounted read-only"), opened(disk, settings):
        pass
    assert condition.size_of_log(chosen.database) == 0


# Before it is full


def low(store: Store) -> None:
    """From now on the disk has less than the reserve."""
    store.reserve = Reserve(store.database.parent, 2**60)


def test_a_disk_that_is_nearly_full_is_told_before_it_is(
    reviewed: Store, settings: Settings
) -> None:
    assert service.alarms(reviewed, NOW) == []
    low(reviewed)
    assert "nearly full" in service.alarms(reviewed, NOW)[0]
    assert "nearly full" in ops.status.status(reviewed, now=NOW)["service"][0]
    here = readiness.Surroundings(reviewed, settings.site, NOW)
    assert not next(check for check in readiness.checks(here) if check.name == "disk").ok


def test_leads_read_it_on_their_page_and_in_their_digest(
    reviewed: Store, browser: object, settings: Settings
) -> None:
    low(reviewed)
    lena = browser("lena", "lead")  # type: ignore[operator]
    assert "the disk is nearly full" in lena.get(f"/r/{REVIEW}")
    digests = ops.notices.digests(reviewed, base_url="https://x.test", now=NOW)["digests"]
    assert "the disk is nearly full" in " ".join(digests[0]["text"].split())


def test_what_can_be_done_later_stops_first_and_people_go_on(
    reviewed: Store, settings: Settings
) -> None:
    found(reviewed, article(1), article(2))
    low(reviewed)
    with pytest.raises(Retry, match="queues are not ranked until there is room"):
        ops.ranking.rerank(reviewed, review=REVIEW, now=NOW, apart=False)
    with pytest.raises(Retry, match="pages of searches wait until there is room"):
        surveil.ingest(reviewed, search="s1", body=b"{}", now=NOW)
    ops.full_text.attach(
        reviewed,
        settings.full_texts,
        id="f",
        review=REVIEW,
        record=article(1).record_id,
        name="a.pdf",
        body=PDF,
        author="ada",
        now=NOW,
    )
    decided = {
        "review": REVIEW,
        "record": article(1).record_id,
        "stage": "title_abstract",
        "reviewer": "ada",
    }
    ops.run(reviewed, settings.site, Decide(**decided, id="d", verdict="include"))


def test_a_recording_ends_with_a_warning_and_the_night_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "night", reserve=2**60)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            recorder.keep(Answer("openalex", f"https://x.test/{number}", None, 200, (), b"x"))
    assert not (tmp_path / "night").exists()
    assert len(caplog.records) == 1 and "nothing more of this night is recorded" in caplog.text


# Leftovers


def test_an_owner_removes_at_its_start_what_killed_ones_left(settings: Settings) -> None:
    half = ("full-texts/.abc.pdf.12-ff.part", "full-texts/.0123.77", "ranking/.r.features.1-a.part",
            "backups/.staging-1/x.duckdb", "backups/as-of-1.duckdb", "backups/before.part")  # fmt: skip
    whole = ("full-texts/abc.pdf", "ranking/r.features", "backups/copies/a/manifest.json")
    for name in (*half, *whole):
        path = settings.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    with Store(settings.database):
        pass
    assert [name for name in half if (settings.home / name).exists()] == []
    assert [name for name in whole if not (settings.home / name).exists()] == []
    assert remove_leftovers(settings.home) == []


def test_a_private_file_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "secret" / "file"
    write_private(target, b"first")
    assert target.stat().st_mode & 0o777 == 0o600 and target.parent.stat().st_mode & 0o777 == 0o700

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_private(target, b"second")
    assert target.read_bytes() == b"first" and list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(("text", "size"), [("", 512 * MB), ("64MB", 64 * MB), ("2 gb", 2048 * MB)])
def test_the_reserve_is_a_setting(text: str, size: int) -> None:
    assert read({"LIVEREVIEW_RESERVE": text}).reserve == size


@pytest.mark.parametrize("text", ["lots", "-1MB", "5", "1TB"])
def test_a_reserve_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match="LIVEREVIEW_RESERVE must be like 512MB or 2GB"):
        read({"LIVEREVIEW_RESERVE": text})
