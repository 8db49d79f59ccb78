"""The published page never goes away: readers, kills, damage, a full disk, and what is unchanged."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

from livereview import durable
from livereview.ops import publish, published, published_files, status, withdraw
from livereview.ops.published import FolderChecker, faults, mend
from livereview.settings import Settings
from livereview.store import placed, versions
from livereview.store.open import Connection, Store
from livereview.summary import front
from livereview.web.app import create
from tests import publishing
from tests.conftest import NOW, REVIEW, TestClient
from tests.publishing import MINUTE, STEPS, step, temporary, wrong
from tests.test_ops_as_of import HOUR, extract, read
from tests.test_withdraw import build, gone

ROUNDS = 48  # python -m tests.bench.published does 200 of each
KILLS = 24
READERS_REST = 0.02  # seconds: readers without a rest would leave the publisher no interpreter


@pytest.fixture
def site(reviewed: Store, settings: Settings) -> Path:
    publishing.begin(reviewed, settings.site)
    return settings.site


def inodes(site: Path) -> dict[str, tuple[int, int, int]]:
    """Every file, folder and link of the site, with what changes when it is written."""
    stats = {str(path): path.lstat() for path in (site, *site.rglob("*"))}
    return {name: (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats.items()}


# What is unchanged is not touched


def test_publishing_what_is_unchanged_writes_nothing(reviewed: Store, site: Path) -> None:
    before = inodes(site)
    for number in range(3):
        done = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + number * MINUTE)
        assert (done["version"], done["new"]) == (1, False)
        publish.settle_outbox(reviewed, folder=site, now=NOW + number * MINUTE)
        publish.library(reviewed, folder=site, now=NOW + number * MINUTE)
    assert inodes(site) == before


def test_a_notice_and_a_tombstone_that_stand_are_not_written_again(
    reviewed: Store, site: Path
) -> None:
    gone(reviewed, site, 1)
    before = inodes(site)
    publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + HOUR)
    publish.settle_outbox(reviewed, folder=site, now=NOW + HOUR)
    assert inodes(site) == before


def test_every_published_folder_lists_its_checksums(reviewed: Store, site: Path) -> None:
    gone(reviewed, site, 1)
    for place in ("latest", "v/1"):
        assert published_files.sums_problem(read((site / REVIEW / place).resolve())) is None


# Readers


class Readers:
    """Threads that read without a pause; what failed, and how often they looked."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.looks: Counter[str] = Counter()
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, look: Callable[[], str | None]) -> None:
        def run() -> None:
            while not self._end.is_set():
                try:
                    problem = look()
                except Exception as error:
                    problem = repr(error)
                self.looks[name] += 1
                time.sleep(READERS_REST)
                if problem:
                    self.failures.append(f"{name}: {problem}")

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def served(store: Store, settings: Settings) -> Iterator[str]:
    """The owner's web app on a real socket; its address."""
    config = uvicorn.Config(
        create(store, settings, token="t"), port=0, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _whole(place: Path) -> Callable[[], str | None]:
    """A reader of one build: the folder that this place is now, all of it."""

    def look() -> str | None:
        return published_files.sums_problem(published_files.read(place.resolve(strict=True)))

    return look


def _there(*paths: Path) -> Callable[[], str | None]:
    return lambda: next((f"{path} is empty" for path in paths if not path.read_bytes()), None)


def _answered(url: str, *allowed: int) -> Callable[[], str | None]:
    session = requests.Session()

    def look() -> str | None:
        answer = session.get(url, timeout=60)
        return (
            None
            if answer.status_code in allowed and answer.content
            else f"{answer.status_code} of {url}"
        )

    return look


def test_readers_see_no_failure_through_publishes_of_every_kind(
    reviewed: Store, settings: Settings, site: Path
) -> None:
    readers, kinds = read_on(reviewed, settings, site, ROUNDS)
    assert readers.failures == []
    assert all(readers.looks.values()) and len(readers.looks) == 7, readers.looks
    assert set(kinds) >= {"unchanged", "signed", "refreshed", "withdrawn", "reinstated"}, kinds
    assert faults(reviewed, site) == [] and temporary(site) == []


def read_on(
    store: Store, settings: Settings, site: Path, rounds: int
) -> tuple[Readers, Counter[str]]:
    """Let readers read through so many publishes.

    What they saw, and how many publishes of each kind there were.
    """
    readers, home = Readers(), site / REVIEW
    with served(store, settings) as url:
        base = f"{url}/site/{REVIEW}"
        readers.start("latest by HTTP", _answered(f"{base}/latest/index.html", 200))
        readers.start("feed by HTTP", _answered(f"{base}/latest/changes.atom", 200))
        readers.start("version by HTTP", _answered(f"{base}/v/1/index.html", 200, 410))
        readers.start("front page by HTTP", _answered(f"{url}/site/index.html", 200))
        readers.start(
            "latest on disk", _there(home / "latest" / "index.html", home / "latest" / "SHA256SUMS")
        )
        readers.start("whole build", _whole(home / "latest"))
        readers.start(
            "version on disk", _there(home / "v" / "1" / "index.html", site / "index.html")
        )
        kinds = Counter(step(store, site, number, "test") for number in range(rounds))
        readers.stop()
    return readers, kinds


# Kills


def test_a_kill_at_any_moment_leaves_whole_pages(
    settings: Settings, reviewed: Store, site: Path
) -> None:
    reviewed.close()
    chance = random.Random(7)
    killed_in_the_act = kill(settings.home, KILLS, lambda: chance.uniform(0, 1.5))
    with Store(settings.database, settings.memory, settings.threads) as store:
        publish.settle_outbox(store, folder=site, now=NOW + HOUR)
        assert faults(store, site) == [] and wrong(site) == [] and temporary(site) == []
    assert killed_in_the_act == KILLS


@pytest.fixture
def reviewed(settings: Settings, protocol: str) -> Iterator[Store]:
    """As everywhere, but a test may close it."""
    from livereview.ops import surveil

    store = Store(settings.database, settings.memory, settings.threads)
    surveil.register(store, text=protocol, now=NOW)
    publish.open_review(store, id="opening", review=REVIEW, by="lena", now=NOW)
    yield store
    if hasattr(store, "_con"):
        store.close()


def kill(home: Path, times: int, wait: Callable[[], float]) -> int:
    """Let a process publish, kill it, and look at the folder as a reader does.

    How often it was publishing.
    """
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "tests.publishing", str(home)]
    done = 0
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        for _ in range(times):
            process.stdin.write("go\n")
            process.stdin.flush()
            lines = {process.stdout.readline().strip(), process.stdout.readline().strip()}
            child = int((lines - {"publishing"}).pop())
            assert "publishing" in lines
            time.sleep(wait())
            os.kill(child, signal.SIGKILL)
            done += 1
            assert wrong(home / "site") == []
        process.stdin.close()
    return done


# Damage


def _delete_build(site: Path) -> None:
    shutil.rmtree((site / REVIEW / "latest").resolve())


def _half_delete_build(site: Path) -> None:
    for path in sorted((site / REVIEW / "latest").resolve().iterdir())[::2]:
        path.unlink()


def _truncate(site: Path) -> None:
    page = site / REVIEW / "latest" / "index.html"
    page.write_bytes(page.read_bytes()[:100])


def _same_size(site: Path) -> None:
    page = site / REVIEW / "latest" / "summary.json"
    page.write_bytes(b"x" * page.stat().st_size)


def _another_page_with_right_sums(site: Path) -> None:
    from livereview.summary import crate

    folder = (site / REVIEW / "latest").resolve()
    files = read(folder) | {"index.html": b"<html>forged</html>"}
    for name, body in {**files, "SHA256SUMS": crate.sums(files)}.items():
        (folder / name).write_bytes(body)


def _no_link(site: Path) -> None:
    (site / REVIEW / "latest").unlink()


def _link_elsewhere(site: Path) -> None:
    (site / REVIEW / "latest").unlink()
    (site / REVIEW / "latest").symlink_to("/tmp")


def _folder_instead_of_link(site: Path) -> None:
    (site / REVIEW / "latest").unlink()
    (site / REVIEW / "latest").mkdir()
    (site / REVIEW / "latest" / "index.html").write_text("copied by hand")


def _delete_version(site: Path) -> None:
    shutil.rmtree(site / REVIEW / "v" / "1")


def _half_delete_version(site: Path) -> None:
    (site / REVIEW / "v" / "1" / "summary.json").unlink()


def _stranger_in_version(site: Path) -> None:
    (site / REVIEW / "v" / "2" / "note.txt").write_text("left here by somebody")


def _file_instead_of_version(site: Path) -> None:
    shutil.rmtree(site / REVIEW / "v" / "2")
    (site / REVIEW / "v" / "2").write_text("?")


def _versions_swapped(site: Path) -> None:
    home = site / REVIEW / "v"
    (home / "1").rename(home / "x")
    (home / "2").rename(home / "1")
    (home / "x").rename(home / "2")


def _file_instead_of_versions(site: Path) -> None:
    shutil.rmtree(site / REVIEW / "v")
    (site / REVIEW / "v").write_text("?")


def _file_instead_of_review(site: Path) -> None:
    shutil.rmtree(site / REVIEW)
    (site / REVIEW).write_text("?")


def _link_to_nowhere_instead_of_site(site: Path) -> None:
    shutil.rmtree(site)
    site.symlink_to("nowhere")


def _delete_front(site: Path) -> None:
    (site / "index.html").unlink()


def _damage_front(site: Path) -> None:
    (site / "index.json").write_text("{}")


def _delete_all(site: Path) -> None:
    shutil.rmtree(site)


DAMAGE = (
    _delete_build,
    _half_delete_build,
    _truncate,
    _same_size,
    _another_page_with_right_sums,
    _no_link,
    _link_elsewhere,
    _folder_instead_of_link,
    _delete_version,
    _half_delete_version,
    _stranger_in_version,
    _file_instead_of_version,
    _versions_swapped,
    _file_instead_of_versions,
    _file_instead_of_review,
    _link_to_nowhere_instead_of_site,
    _delete_front,
    _damage_front,
    _delete_all,
)


@pytest.fixture
def two(reviewed: Store, site: Path) -> Path:
    """Two versions."""
    extract(reviewed, 2, NOW + HOUR)
    assert build(reviewed, site, NOW + HOUR)["version"] == 2
    publish.settle_outbox(reviewed, folder=site, now=NOW + HOUR)
    publish.library(reviewed, folder=site, now=NOW + HOUR)
    return site


def published_bytes(site: Path) -> dict[str, bytes]:
    """What readers can get: the front page, `latest` and every version."""
    home = site / REVIEW
    found = {name: (site / name).read_bytes() for name in front.FILES if (site / name).exists()}
    for place in ("latest", "v/1", "v/2"):
        found |= {f"{place}/{name}": body for name, body in read((home / place).resolve()).items()}
    return found


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__.strip("_"))
def test_damage_is_an_alarm_and_the_next_start_puts_back_the_same_bytes(
    reviewed: Store, two: Path, damage: Callable[[Path], None]
) -> None:
    before = published_bytes(two)
    damage(two)
    assert faults(reviewed, two)
    told = status.status(reviewed, now=NOW, folder=two)["reviews"][0]["alarms"]
    assert any("published" in alarm or "front page" in alarm for alarm in told)
    assert FolderChecker(reviewed, two, lambda: NOW + 2 * HOUR).look()
    assert published_bytes(two) == before
    assert faults(reviewed, two) == []
    assert status.status(reviewed, now=NOW, folder=two)["reviews"][0]["alarms"] == []


def test_settling_the_outbox_mends_too_and_says_what(reviewed: Store, two: Path) -> None:
    _delete_build(two)
    _delete_version(two)
    done = publish.settle_outbox(reviewed, folder=two, now=NOW + 2 * HOUR)
    assert done == {REVIEW: {"mended": ["latest", "v/1"]}}
    assert publish.settle_outbox(reviewed, folder=two, now=NOW + 2 * HOUR) == {}


def test_a_damaged_tombstone_and_a_lost_notice_come_back(reviewed: Store, two: Path) -> None:
    gone(reviewed, two, 1, id="w1")
    gone(reviewed, two, 2, id="w2")
    before = published_bytes(two)
    _delete_build(two)
    (two / REVIEW / "v" / "1" / "index.html").write_text("")
    mend(reviewed, folder=two, now=NOW + 3 * HOUR)
    assert published_bytes(two) == before and faults(reviewed, two) == []


def test_a_version_comes_back_though_the_clock_was_set_back_before_it(
    reviewed: Store, two: Path
) -> None:
    early = NOW - 9 * HOUR
    extract(reviewed, 3, early)
    assert publish.settle_outbox(reviewed, folder=two, now=early)[REVIEW]["version"] == 3
    kept = read(two / REVIEW / "v" / "3")
    shutil.rmtree(two / REVIEW / "v" / "3")
    assert mend(reviewed, folder=two, now=NOW + HOUR) == {REVIEW: {"mended": ["v/3"]}}
    assert read(two / REVIEW / "v" / "3") == kept


def test_while_a_finding_waits_for_a_name_the_page_that_says_so_comes_back(
    reviewed: Store, two: Path
) -> None:
    extract(reviewed, 2, NOW + 2 * HOUR, "favours_comparison")
    assert publish.settle_outbox(reviewed, folder=two, now=NOW + 2 * HOUR)[REVIEW]["held"]
    before = published_bytes(two)
    assert b"is being weighed" in read(two / REVIEW / "latest")["index.html"]
    _delete_build(two)
    mend(reviewed, folder=two, now=NOW + 3 * HOUR)
    assert published_bytes(two) == before


def test_while_no_build_succeeds_the_old_page_comes_back(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published_bytes(two)

    def breaks(*_: object) -> None:
        raise RuntimeError("the flow does not balance")

    monkeypatch.setattr(publish, "snapshot", breaks)
    _delete_build(two)
    mend(reviewed, folder=two, now=NOW + 3 * HOUR)
    assert published_bytes(two) == before


def test_what_can_not_be_built_again_to_the_same_bytes_is_an_alarm(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, files_of = read(two / REVIEW / "v" / "1"), publish.files_of
    with monkeypatch.context() as rules:
        rules.setattr(
            publish,
            "files_of",
            lambda *given: tuple(dict(files) | {"embed.js": b"new"} for files in files_of(*given)),
        )
        (two / REVIEW / "v" / "1" / "prisma.png").unlink()
        mend(reviewed, folder=two, now=NOW + 3 * HOUR)
        assert read(two / REVIEW / "v" / "1") == kept, "only what was damaged was built again"
        _delete_version(two)
        assert mend(reviewed, folder=two, now=NOW + 3 * HOUR) == {REVIEW: {"mended": ["v/1"]}}
    shown = read(two / REVIEW / "v" / "1")
    assert shown["summary.json"] == kept["summary.json"] and shown["embed.js"] == b"new"
    (fault,) = faults(reviewed, two)
    assert "shown as today's rules build it" in fault.words() and "from a backup" in fault.words()
    assert mend(reviewed, folder=two, now=NOW + 3 * HOUR) == {}, "nothing is built over and over"
    durable.write_folder(two / REVIEW / "v" / "1", kept)
    assert faults(reviewed, two) == []


def test_a_version_whose_data_would_differ_is_not_shown_and_the_others_are(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, files_of = read(two / REVIEW / "v" / "2"), publish.files_of

    def other_rules(snap: Any, version: versions.Version, *homes: str) -> Any:
        made = files_of(snap, version, *homes)
        return (
            tuple(dict(files) | {"summary.json": b"{}"} for files in made)
            if version.number == 1
            else made
        )

    monkeypatch.setattr(publish, "files_of", other_rules)
    shutil.rmtree(two / REVIEW / "v")
    done = mend(reviewed, folder=two, now=NOW + 3 * HOUR)[REVIEW]
    assert done["mended"] == ["v/2"] and "from a backup" in done["problem"]
    assert not (two / REVIEW / "v" / "1").exists() and read(two / REVIEW / "v" / "2") == kept
    assert (
        "from a backup" in status.status(reviewed, now=NOW, folder=two)["reviews"][0]["alarms"][0]
    )


def test_a_site_from_before_such_notes_is_taken_over_as_it_is(reviewed: Store, two: Path) -> None:
    gone(reviewed, two, 1)
    (two / REVIEW / "v" / "1" / "SHA256SUMS").unlink()  # tombstones had none
    reviewed.write(lambda con: con.execute("DELETE FROM placed"))
    before = {name: stat for name, stat in inodes(two).items() if "/v/1" not in name}
    mend(reviewed, folder=two, now=NOW + 3 * HOUR)
    assert {
        name: stat
        for name, stat in inodes(two).items()
        if "/v/1" not in name and not name.endswith("/v")
    } == {name: stat for name, stat in before.items() if not name.endswith("/v")}
    assert faults(reviewed, two) == []
    with reviewed.read() as con:
        assert set(placed.all_of(con, REVIEW)) == {"latest", "v/1", "v/2"}


def test_what_the_dead_left_goes_and_what_the_living_write_stays(
    reviewed: Store, two: Path
) -> None:
    home = two / REVIEW
    for path in (
        home / "builds" / "abc.new",
        home / "v" / ".3.0badcafe-1.new",
        home / "as-of" / "x.new",
    ):
        path.mkdir(parents=True)
        (path / "index.html").write_text("half")
    (two / ".index.html.new").write_text("half")
    (home / "latest.new").symlink_to("builds/nowhere")
    living = durable.beside(home / "v" / "9")
    living.mkdir()
    mend(reviewed, folder=two, now=NOW)
    assert temporary(two) == [living]


def test_the_checker_looks_at_the_start_and_not_at_each_moment(reviewed: Store, two: Path) -> None:
    clock = [0.0]
    checker = FolderChecker(reviewed, two, lambda: NOW, lambda: clock[0])
    assert checker.look() == {}
    _delete_build(two)
    assert checker.look() == {}, "not at once"
    clock[0] += 60
    assert checker.look() == {REVIEW: {"mended": ["latest"]}}


def test_a_rotten_disk_is_found_though_times_and_sizes_stand(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    checker = FolderChecker(reviewed, two, lambda: NOW, lambda: clock[0])
    checker.look()

    def without_times(folder: Path) -> published_files.Signature:
        return tuple((*sign[:3], 0, 0) for sign in signature(folder))

    signature = published_files._signature
    monkeypatch.setattr(published_files, "_signature", without_times)
    published._reader.forget()
    assert faults(reviewed, two) == []
    _same_size(two)
    assert faults(reviewed, two) == [], "nothing shows it"
    clock[0] += published.WHOLE
    assert checker.look() == {REVIEW: {"mended": ["latest"]}}


# Disks that are full, folders that can't be written


def test_a_build_that_finds_no_space_leaves_the_old_page_and_nothing_else(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, written = published_bytes(two), []
    whole = durable._write

    def full(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        whole(path, content)

    extract(reviewed, 3, NOW + 2 * HOUR)
    with monkeypatch.context() as disk:
        disk.setattr(durable, "_write", full)
        done = publish.settle_outbox(reviewed, folder=two, now=NOW + 2 * HOUR)
    assert "the disk is full" in done[REVIEW]["problem"]
    assert published_bytes(two) == before and temporary(two) == []
    assert any(
        "the disk is full" in alarm
        for alarm in status.status(reviewed, now=NOW)["reviews"][0]["alarms"]
    )
    assert build(reviewed, two, NOW + 3 * HOUR)["version"] == 3


def test_a_folder_that_can_not_be_written_leaves_the_old_page(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(two / REVIEW / "builds"))

    before = published_bytes(two)
    extract(reviewed, 3, NOW + 2 * HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(published_files.ReviewFolder, "stage", refused)
        told = publish.settle_outbox(reviewed, folder=two, now=NOW + 2 * HOUR)[REVIEW]
    assert "problem" in told and "builds" in str(told["problem"])
    assert published_bytes(two) == before and temporary(two) == []
    with reviewed.read() as con:
        assert len(versions.all_of(con, REVIEW)) == 2, "no version is noted that nobody can read"
    assert build(reviewed, two, NOW + 3 * HOUR)["version"] == 3
    assert before.keys() - published_bytes(two).keys() == set()


def test_builds_stay_for_those_who_are_reading_them(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = two / REVIEW / "builds"
    for number in range(STEPS):
        step(reviewed, two, number, "kept")
    assert len(list(builds.iterdir())) > published_files.KEPT_BUILDS + 1
    monkeypatch.setattr(published_files, "KEPT_SECONDS", -1.0)
    extract(reviewed, 4, NOW + 5 * HOUR)
    build(reviewed, two, NOW + 5 * HOUR)
    assert len(list(builds.iterdir())) == published_files.KEPT_BUILDS + 1


# What is signed


def test_a_conclusion_that_comes_back_waits_for_a_name_again(reviewed: Store, two: Path) -> None:
    hashes = []
    for number, direction in enumerate(
        ("favours_comparison", "favours_intervention", "favours_comparison"), start=2
    ):
        now = NOW + number * HOUR
        for study in (1, 2):
            extract(reviewed, study, now, direction)
        done = publish.settle_outbox(reviewed, folder=two, now=now)[REVIEW]
        assert done["held"], f"change {number} waits"
        hashes.append(done["held"]["content_hash"])
        publish.sign(reviewed, id=f"s{number}", review=REVIEW, by="lena", now=now)
        assert publish.settle_outbox(reviewed, folder=two, now=now)[REVIEW]["new"]
    assert hashes[0] == hashes[2]


# The files themselves


def test_a_folder_takes_another_s_place_where_the_disk_can_not_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_libc", object())
    assert durable.write_folder(tmp_path / "v", {"a": b"1", "deep/b": b"2"})
    assert durable.write_folder(tmp_path / "v", {"a": b"3"})
    assert read(tmp_path / "v") == {"a": b"3"} and [path.name for path in tmp_path.iterdir()] == [
        "v"
    ]


def test_files_are_for_everybody_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        durable.write_folder(tmp_path / "v", {"a": b"1", "deep/b": b"2"})
        durable.write_file(tmp_path / "index.html", b"1")
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path).as_posix(): oct(path.stat().st_mode & 0o777)
        for path in tmp_path.rglob("*")
    }
    assert modes == {
        "v": "0o755",
        "v/deep": "0o755",
        "v/a": "0o644",
        "v/deep/b": "0o644",
        "index.html": "0o644",
    }


def test_the_page_is_served_while_its_build_goes(
    reviewed: Store, settings: Settings, site: Path
) -> None:
    http = TestClient(create(reviewed, settings, token="t"))
    for number in range(STEPS):
        step(reviewed, site, number, "served")
        assert http.get(f"/site/{REVIEW}/latest/").status_code == 200


def _front_alone(con: Connection) -> str | None:
    return placed.front(con)


def test_the_front_page_is_told_behind_when_a_version_came_and_it_did_not(
    reviewed: Store, site: Path
) -> None:
    extract(reviewed, 2, NOW + HOUR)
    build(reviewed, site, NOW + HOUR)  # killed before the front page
    with reviewed.read() as con:
        assert _front_alone(con) is None
    assert [fault.place for fault in faults(reviewed, site)] == ["front"]
    assert mend(reviewed, folder=site, now=NOW + HOUR) == {"front page": {"mended": ["front"]}}
    assert f'"version": {2}' in (site / "index.json").read_text()


def test_a_withdrawal_that_was_killed_before_its_files_is_an_alarm_until_it_is_done(
    reviewed: Store, two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publish, "settle_outbox", lambda *_, **__: {})
        patch.setattr(publish, "library", lambda *_, **__: None)
        gone(reviewed, two, 1)
    assert "is withdrawn and still there" in faults(reviewed, two)[0].words()
    assert withdraw.tombstone_files.DATA not in read(two / REVIEW / "v" / "1")
    publish.settle_outbox(reviewed, folder=two, now=NOW + 3 * HOUR)
    assert faults(reviewed, two) == [] and withdraw.tombstone_files.DATA in read(
        two / REVIEW / "v" / "1"
    )


def test_a_front_page_that_is_only_behind_is_brought_up_to_date_and_called_no_damage(
    reviewed: Store, site: Path
) -> None:
    extract(reviewed, 2, NOW + HOUR)
    # as `livereview publish --review` does before it settles the outbox
    build(reviewed, site, NOW + HOUR)
    assert publish.settle_outbox(reviewed, folder=site, now=NOW + HOUR) == {}
    assert '"version": 2' in (site / "index.json").read_text()
