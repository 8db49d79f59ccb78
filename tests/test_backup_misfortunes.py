"""Backups under unlucky operators and bad machines: wrong clocks, replaced databases, odd files,
cut copies, mounts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from livereview import ops
from livereview.backups.target import Folder, at
from livereview.errors import Refused, Retry
from livereview.ops import backup, restore
from livereview.ops.follow import Follower
from livereview.settings import Settings
from livereview.store.open import Store, owner
from tests.conftest import NOW, article, found
from tests.small_disk import small_disk
from tests.test_backups import MINUTE, act, everything, rows_of, shown
from tests.test_backups import worked as worked
from tests.test_follow import _seen, increments

YEAR = timedelta(days=365)


def test_a_copy_from_a_clock_that_was_ahead_is_not_the_newest_for_ever(
    reviewed: Store, tmp_path: Path
) -> None:
    nas = tmp_path / "nas"
    found(reviewed, article(1), search="a")
    backup.backup(reviewed, target=str(nas), name="ahead", now=NOW + YEAR)
    for day in range(3):
        found(reviewed, article(10 + day), search=f"day {day}")
        backup.backup(reviewed, target=str(nas), keep=2, now=NOW + timedelta(days=day))
    assert restore.check(str(nas)).upto == _seen(reviewed)
    assert "ahead" not in backup.whole_copies(at(str(nas)))


def test_shipping_makes_its_daily_copy_after_the_clock_was_set_back(
    reviewed: Store, tmp_path: Path
) -> None:
    nas = tmp_path / "nas"
    found(reviewed, article(1), search="a")
    follower = Follower(reviewed, str(nas))
    assert follower.step(NOW + YEAR)["whole"]
    found(reviewed, article(2), search="b")
    assert follower.step(NOW)["whole"], "a copy of the future tells nothing of when the next is due"
    assert not follower.step(NOW + MINUTE)["whole"]
    found(reviewed, article(3), search="c")
    assert not follower.step(NOW - MINUTE)["whole"], (
        "a clock that is put right by a little is no reason"
    )
    told = restore.check(str(nas))
    assert told.upto == _seen(reviewed) and told.problems == []


def test_what_a_killed_backup_left_goes_a_day_later_and_a_restore_clears_up_after_another(
    reviewed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nas, home = tmp_path / "nas", tmp_path / "new"
    killed = nas / "copies" / backup.stamp(NOW)
    killed.mkdir(parents=True)
    (killed / backup.DATABASE).write_bytes(b"a copy without a manifest")
    part = nas / "files" / "ab" / ".abcd.12345678.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    backup.backup(reviewed, target=str(nas), name="a", now=NOW + timedelta(hours=1))
    assert killed.exists() and part.exists(), "somebody may be at it"
    monkeypatch.setattr(
        "livereview.backups.target.time.time", lambda: part.stat().st_ctime + 90_000
    )
    backup.backup(reviewed, target=str(nas), name="b", now=NOW + timedelta(hours=25))
    assert not killed.exists() and not part.exists()
    assert backup.whole_copies(at(str(nas))) == ["a", "b"]

    abandoned = home / ".restore-20260101T000000000000Z"
    abandoned.mkdir(parents=True)
    restore.restore(str(nas), home)
    assert not abandoned.exists()


def test_an_increment_that_was_shipped_and_not_noted_is_no_loss(
    reviewed: Store, tmp_path: Path
) -> None:
    """As where the owner is killed between the two: more is there than the place says."""
    nas = tmp_path / "nas"
    found(reviewed, article(1), search="a")
    follower = Follower(reviewed, str(nas))
    follower.step(NOW)
    earlier = (nas / backup.HEAD).read_bytes()
    found(reviewed, article(2), search="b")
    follower.step(NOW + MINUTE)
    later = (nas / backup.HEAD).read_bytes()
    (nas / backup.HEAD).write_bytes(earlier)
    assert restore.check(str(nas)).problems == []
    (nas / backup.HEAD).write_bytes(later)
    for increment in nas.glob("copies/*/increments/*"):
        increment.unlink()
    assert "did not come back" in restore.check(str(nas)).problems[0]


def test_a_database_that_was_replaced_by_hand_begins_a_row_of_its_own(
    reviewed: Store, settings: Settings, tmp_path: Path
) -> None:
    nas, old = tmp_path / "nas", tmp_path / "old.duckdb"
    home = tmp_path / "other"
    with Store(home / "livereview.duckdb", reserve=0) as store:
        ops.surveil.register(
            store, text=(Path(__file__).parent / "data" / "review.toml").read_text(), now=NOW
        )
        found(store, article(1), search="a")
    shutil.copyfile(home / "livereview.duckdb", old)
    with Store(home / "livereview.duckdb", reserve=0) as store:
        follower = Follower(store, str(nas))
        follower.step(NOW)
        found(store, article(2), search="b")
        follower.step(NOW + MINUTE)
    shutil.copyfile(old, home / "livereview.duckdb")
    with Store(home / "livereview.duckdb", reserve=0) as store:
        for number in range(3, 9):  # it outgrows the one before it
            found(store, article(number), search=f"s{number}")
        Follower(store, str(nas)).step(NOW + 2 * MINUTE)
        with store.read() as con:
            before = everything(con)
    told = restore.restore(str(nas), tmp_path / "home")
    assert told.problems == []
    assert rows_of(tmp_path / "home") == before


def test_two_places_are_followed_side_by_side_after_a_restart(
    reviewed: Store, tmp_path: Path
) -> None:
    places = [str(tmp_path / "nas"), str(tmp_path / "usb")]
    for place in places:
        assert Follower(reviewed, place).step(NOW)["whole"]
    found(reviewed, article(1), search="a")
    for place in places:
        assert not Follower(reviewed, place).step(NOW + MINUTE)["whole"], (
            "it goes on where it was in each"
        )
        assert restore.check(place).upto == _seen(reviewed)


def test_links_and_names_that_no_restore_takes_are_left_out_and_told(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    nas = tmp_path / "nas"
    (settings.site / "logo").symlink_to("/srv/logo.png")
    (settings.site / "small-review" / "up").symlink_to("../../owner.token")
    (settings.site / os.fsdecode(b"caf\xe9.txt")).write_text("an old archive's name")
    os.mkfifo(settings.site / "pipe")
    follower = Follower(worked, str(nas))
    assert follower.step(NOW)["whole"]
    assert not Follower(worked, str(nas)).step(NOW + MINUTE)["whole"]
    told = restore.restore(str(nas), tmp_path / "home")
    assert told.problems == []
    words = " ".join(told.missing)
    assert (
        "site/logo" in words
        and "site/small-review/up" in words
        and "caf" in words
        and "pipe" in words
    )


class Cutting(Folder):
    """A place on a line that breaks: what arrives under its name is not all that was sent."""

    cut = 0

    def send(self, path: Path, name: str, *, move: bool = False) -> None:
        size = path.stat().st_size
        body = path.read_bytes()
        if self.cut and size > self.cut:
            self.write(name, body[: self.cut])
            return
        super().send(path, name, move=move)


def test_what_arrives_cut_is_no_copy_and_no_increment(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    nas = tmp_path / "nas"
    follower = Follower(worked, str(nas))
    place = Cutting(nas)
    follower.place = place
    place.cut = 100
    with pytest.raises(Retry, match="bytes of"):
        follower.step(NOW)
    assert backup.whole_copies(place) == []
    place.cut = 0
    follower.step(NOW + MINUTE)
    act(worked, settings, 2)
    place.cut = 100
    with pytest.raises(Retry, match="bytes of"):
        follower.step(NOW + 2 * MINUTE)
    place.cut = 0
    follower.step(NOW + 3 * MINUTE)
    assert len(increments(nas)) == 1
    told = restore.check(str(nas))
    assert told.problems == [] and told.upto == _seen(worked)


def test_a_disk_that_is_new_has_lost_and_found_and_is_no_home_in_use(
    worked: Store, tmp_path: Path
) -> None:
    nas, home = tmp_path / "nas", tmp_path / "mount"
    backup.backup(worked, target=str(nas), now=NOW)
    (home / "lost+found").mkdir(parents=True)
    assert restore.restore(str(nas), home).problems == []
    assert (home / "lost+found").is_dir()


def test_a_site_on_a_disk_of_its_own_is_filled_and_set_aside(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    nas, home = tmp_path / "nas", tmp_path / "home"
    backup.backup(worked, target=str(nas), now=NOW)
    home.mkdir()
    with small_disk(home / "site", 32):
        assert restore.restore(str(nas), home).problems == [], (
            "an empty mounted folder is no home in use"
        )
        assert (home / "site").is_mount()
        assert shown(home) == shown(settings.home)
        (home / "site" / "old").write_text("what an operator put there")
        told = restore.restore(str(nas), home, replace=True)
        assert told.problems == []
        assert shown(home) == shown(settings.home)
        assert (Path(told.aside) / "site" / "old").read_text() == "what an operator put there"


@pytest.mark.parametrize("step", range(1, 12))
def test_a_restore_that_fails_half_way_leaves_the_home_as_it_was(
    worked: Store, tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nas, home = tmp_path / "nas", tmp_path / "in-use"
    backup.backup(worked, target=str(nas), now=NOW)
    with Store(home / "livereview.duckdb", reserve=0):
        pass
    for folder in ("site", "full-texts", "recordings"):
        (home / folder).mkdir()
        (home / folder / "old").write_text(folder)
    before = {
        path.relative_to(home): path.stat().st_ino for path in home.rglob("*") if path.is_file()
    }
    count = [0]
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.is_relative_to(home) and path.name in (
            "site",
            "full-texts",
            "recordings",
            "livereview.duckdb",
        ):
            count[0] += 1
            if count[0] == step:
                raise OSError(16, "Device or resource busy", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    try:
        restore.restore(str(nas), home, replace=True)
    except OSError:
        after = {
            path.relative_to(home): path.stat().st_ino for path in home.rglob("*") if path.is_file()
        }
        assert after == before
    else:
        assert count[0] < step, "no step is left to fail"


def test_a_block_that_went_bad_while_the_owner_lives_is_told_with_the_next_step(
    tmp_path: Path,
) -> None:
    database = tmp_path / "home" / "livereview.duckdb"
    protocol = (Path(__file__).parent / "data" / "review.toml").read_text()
    with Store(database, reserve=0) as store:
        ops.surveil.register(store, text=protocol, now=NOW)
        noise = Random(1)
        for page in range(8):
            news = [
                article(page * 100 + number, abstract=noise.randbytes(800).hex() + str(number))
                for number in range(60)
            ]
            found(store, *news, search=f"s{page}")
        store.write(lambda con: None)
        assert store._checkpoint()
    with Store(database, reserve=0) as store:
        with database.open("r+b") as file:
            file.seek(300_000)
            file.write(noise.randbytes(database.stat().st_size - 300_000))
        with pytest.raises(Refused, match=r"is damaged.*livereview restore"):
            backup.backup(store, target=str(tmp_path / "nas"), now=NOW)
        with pytest.raises(Refused, match=r"is damaged.*livereview restore"), store.read() as con:
            con.execute("SELECT sum(hash(r)) FROM record r").fetchall()
    assert backup.whole_copies(at(str(tmp_path / "nas"))) == []


BROKEN = """
import sys, duckdb
from livereview.settings import read
from livereview.web import serve
announce = serve._announce
def broken(store, *rest):
    announce(store, *rest)
    store._in_words(duckdb.FatalException("FATAL Error: database has been invalidated"))
serve._announce = broken
sys.argv = ["livereview", "serve", "--new", "--port", "0", "--home", sys.argv[1]]
from livereview.cli import app
app()
"""


def test_an_owner_whose_database_was_closed_by_an_error_ends_with_words(tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = [sys.executable, "-c", BROKEN, str(home)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    assert "opens again with the next start" in done.stderr and "Traceback" not in done.stderr
    assert owner(home / "livereview.duckdb") is None
    with Store(home / "livereview.duckdb", reserve=0):
        pass
