"""Whatever the umask and whatever was there: others read the published site and nothing else."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from livereview import client, private_files
from livereview.ops.backup import backup
from livereview.settings import Settings
from livereview.store.open import Store
from tests.conftest import NOW

ROOT = Path(__file__).resolve().parents[1]
WORK = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
os.umask(int(sys.argv[2], 8))
from livereview import client, ops
from livereview.commands import Publish
from livereview.ops import backup, full_text, publish, surveil
from livereview.settings import Settings
from livereview.store.open import Store
from tests.conftest import REVIEW, article, found
settings = Settings(home=Path(sys.argv[1]) / "a" / "home", secrets={}, memory="500MB", threads=1)
now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
with Store(settings.database, settings.memory, settings.threads) as store:
    client.token(settings)
    surveil.register(store, text=Path("tests/data/review.toml").read_text(), now=now)
    (record,) = found(store, article(1))
    from tests.test_web_full_text import PDF as pdf
    full_text.attach(store, settings.full_texts, id="f", review=REVIEW, record=record, name="p.pdf", body=pdf,
                     author="ada", now=now)
    backup.backup(store, name="copy", now=now)
    publish.open_review(store, id="opening", review=REVIEW, by="lena", now=now)
    ops.run(store, settings.site, Publish(review=REVIEW))
    assert list(settings.home.glob("*.wal")), "the write-ahead log is looked at while it is there"
    modes = {str(path.relative_to(settings.home)): oct(path.lstat().st_mode & 0o777)
             for path in settings.home.rglob("*") if not path.is_symlink()}
    import json
    print(json.dumps({**modes, ".": oct(settings.home.stat().st_mode & 0o777)}))
"""


def looked_at(home: Path) -> dict[str, str]:
    paths = [path for path in home.rglob("*") if not path.is_symlink()]
    return {str(path.relative_to(home)): oct(path.stat().st_mode & 0o777) for path in paths}


def wrong(modes: dict[str, str]) -> dict[str, str]:
    """What others may read and should not, or may not read and should."""
    closed, public = {"0o600", "0o700"}, {"0o755", "0o644"}
    return {
        name: mode
        for name, mode in modes.items()
        if name != "." and mode not in (public if name.split("/")[0] == "site" else closed)
    }


@pytest.mark.parametrize("umask", ["022", "077", "000", "027"])
def test_others_read_the_site_and_nothing_else_whatever_the_umask(
    tmp_path: Path, umask: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK, tmp_path, umask], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    modes = json.loads(done.stdout)
    assert wrong(modes) == {} and modes["."] == "0o711"
    copy = "backups/copies/copy/livereview.duckdb"
    needed = {"livereview.duckdb", "livereview.duckdb.wal", "owner.token", copy, "full-texts"}
    assert needed <= modes.keys() and "site/small-review" in modes
    assert sum(name.startswith("site/") for name in modes) > 10


def test_an_older_home_is_closed_at_the_start_and_that_is_said(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with Store(settings.database, "500MB", 1) as store:
        backup(store, name="copy", now=NOW)
    for name in ("full-texts", "site/small-review/v/1", "ranking", "unrelated"):
        (settings.home / name).mkdir(parents=True)
        (settings.home / name / "file").write_text("x")
    (settings.home / "site" / "latest").symlink_to(settings.home / "owner.token")
    (settings.home / "owner.token").write_text("secret")
    for path in [settings.home, *settings.home.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o777 if path.is_dir() else 0o666)
    (settings.site / "small-review").chmod(0o700)
    (settings.site / "small-review" / "v" / "1" / "file").chmod(0o600)
    with Store(settings.database, "500MB", 1):
        modes = looked_at(settings.home)
    unrelated = {name: modes.pop(name) for name in ("unrelated", "unrelated/file")}
    assert wrong(modes) == {} and set(unrelated.values()) == {"0o777", "0o666"}
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o711
    (line,) = [
        record.getMessage()
        for record in caplog.records
        if "others could read" in record.getMessage()
    ]
    assert (
        re.search(r"others could read \d\d files", line)
        and "now they can't: backups, copies, copy" in line
    )
    caplog.clear()
    with Store(settings.database, "500MB", 1):
        pass
    assert "others could read" not in caplog.text, "nothing was open any more"


def test_a_home_that_its_operator_keeps_closer_stays_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    private_files.make_home(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_folders_are_made_with_the_modes_of_their_kind(tmp_path: Path) -> None:
    os.umask(private_files.UMASK)
    private_files.public_folder(tmp_path / "site" / "r" / "v")
    private_files.private_folder(tmp_path / "backups" / "x")
    assert set(looked_at(tmp_path / "site").values()) == {"0o755"}
    assert set(looked_at(tmp_path / "backups").values()) == {"0o700"}


def test_a_token_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, secrets={}, memory="500MB", threads=1)
    (tmp_path / "owner.token").touch()
    made = client.token(settings)
    assert len(made) > 30 and client.token(settings) == made, (
        "an empty secret would let everybody in, or nobody"
    )
    assert (tmp_path / "owner.token").stat().st_mode & 0o077 == 0
