"""Backups: whole or not there, beside everybody's work, with all that can't be made again.

And they come back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest

from livereview import ops
from livereview.backups import listing
from livereview.backups.target import at, without_secrets
from livereview.errors import Refused, Retry
from livereview.ops import backup, restore, service
from livereview.ops.follow import Follower
from livereview.settings import Settings
from livereview.store import copies, past
from livereview.store.open import Connection, Store
from tests.conftest import NOW, REVIEW, article, found, secret_of
from tests.small_disk import MB, small_disk
from tests.test_ops import form, include

PDF = b"%PDF-1.7\nfull text\n%%EOF\n"
MINUTE = timedelta(minutes=1)


def act(store: Store, settings: Settings, number: int) -> None:
    """A day's work in small: records, decisions, an extraction, a PDF, an account, a version."""
    for record in found(store, article(number), article(number + 500), search=f"s{number}"):
        include(store, record)
    data = form(study=f"s-{number}", label=f"S {number}", reports=[f"10.1000/trial{number}"])
    ops.evidence.extract(store, id=f"e{number}", review=REVIEW, data=data, extractor="ada", now=NOW)
    ops.full_text.attach(
        store,
        settings.full_texts,
        id=f"f{number}",
        review=REVIEW,
        record=article(number).record_id,
        name="a.pdf",
        body=PDF + str(number).encode() + b"%%EOF",
        author="ada",
        now=NOW,
    )
    ops.team.add_account(
        store, name=f"ada{number}", role="reviewer", secret=secret_of(f"ada{number}"), now=NOW
    )
    settings.site.mkdir(exist_ok=True)
    done = ops.publish.publish(store, review=REVIEW, folder=settings.site, now=NOW)
    if done.get("held"):
        ops.publish.sign(store, id=f"x{number}", review=REVIEW, by="lena", now=NOW)
        ops.publish.publish(store, review=REVIEW, folder=settings.site, now=NOW)
    ops.publish.library(store, folder=settings.site, now=NOW)


def everything(con: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that a restore must have again, the derived ones too."""
    chosen = [
        table
        for table in copies.tables(con)
        if table not in (*copies.NEVER, "rank", "block", "report")
    ]  # `found` settles nothing
    return {
        table: con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in chosen
    }


def rows_of(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    with Store(home / "livereview.duckdb", reserve=0) as store, store.read() as con:
        return everything(con)


def files_of(home: Path) -> dict[str, bytes | str]:
    """Every file and link that a backup promises."""
    held: dict[str, bytes | str] = {}
    for name in ("full-texts", "site", "recordings"):
        for path in sorted((home / name).rglob("*")):
            if path.is_symlink():
                held[str(path.relative_to(home))] = str(path.readlink())
            elif path.is_file():
                held[str(path.relative_to(home))] = path.read_bytes()
    return held


def shown(home: Path) -> dict[str, bytes | str]:
    """`files_of` without builds that nothing leads to any more."""
    tree = listing.Listing(home).look()
    return {
        name: held
        for name, held in files_of(home).items()
        if name in tree.files or name in tree.links
    }


@pytest.fixture
def worked(reviewed: Store, settings: Settings) -> Store:
    """A store with a day's work in it."""
    act(reviewed, settings, 1)
    return reviewed


@pytest.fixture(params=["folder", "memory", "ftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An address to keep backups at: a folder, and what fsspec reaches."""
    if request.param == "folder":
        yield str(tmp_path / "nas")
        return
    if request.param == "memory":
        yield f"memory://{tmp_path.name}"
        fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)
        return
    from tests.ftp_server import ftp_server

    with ftp_server(tmp_path / "ftp") as address:
        yield address


def test_a_whole_copy_comes_back_with_every_row_and_every_file(
    worked: Store, settings: Settings, place: str, tmp_path: Path
) -> None:
    (settings.home / "recordings" / "night").mkdir(parents=True)
    (settings.home / "recordings" / "night" / "index.json").write_text("{}")
    done = backup.backup(worked, target=place, name="friday", now=NOW)
    assert done["decisions"] == 8 and done["name"] == "friday"
    act(worked, settings, 2)  # the owner goes on
    with worked.read() as con:
        before = everything(con)
    elsewhere = tmp_path / "elsewhere"
    found_there = restore.restore(place, elsewhere)
    assert found_there.problems == []
    assert found_there.counts["decision"] == 8 and len(before["decision"]) == 16
    assert (elsewhere / "recordings" / "night" / "index.json").exists()
    restored = rows_of(elsewhere)
    assert restored["decision"] == [
        row for row in before["decision"] if row in restored["decision"]
    ]
    assert found_there.versions == {REVIEW: 1}
    assert set(files_of(elsewhere)) < set(files_of(settings.home))


def test_a_backup_says_what_is_not_in_it_and_no_secret(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    worked.notes = {"values": {"LIVEREVIEW_URL": "https://x.test"}, "secrets": ["NCBI_API_KEY"]}
    (settings.home / "owner.token").write_text("very-secret-token")
    (settings.home / "prefect").mkdir()
    done = backup.backup(worked, target=str(tmp_path / "nas"), name="a", now=NOW)
    words = " ".join(done["missing"])
    assert (
        "owner's token" in words
        and "Prefect" in words
        and "sessions" in words
        and "secrets" in words
    )
    every = b"".join(path.read_bytes() for path in (tmp_path / "nas").rglob("*") if path.is_file())
    assert b"very-secret-token" not in every and b"NCBI_API_KEY" in every
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "nas" / "copies").rglob("*")}
    assert modes == {0}, "nobody else may read a copy"
    told = restore.check(str(tmp_path / "nas"))
    assert told.secrets == ("NCBI_API_KEY",) and told.problems == []


def test_a_name_is_taken_once_and_leads_nowhere(worked: Store, tmp_path: Path) -> None:
    place = str(tmp_path / "nas")
    backup.backup(worked, target=place, name="one", now=NOW)
    with pytest.raises(Refused, match="has a copy named one; choose another name"):
        backup.backup(worked, target=place, name="one", now=NOW)
    for name in ("../x", "a'b", "a/b", ".hidden", "x" * 81):
        with pytest.raises(Refused, match="can't name a backup"):
            backup.backup(worked, target=place, name=name, now=NOW)


@pytest.mark.parametrize("folder", ["site", "site/kept", "full-texts", "recordings/../site"])
def test_no_copy_goes_where_everybody_reads_or_the_next_copy_takes_it(
    worked: Store, settings: Settings, folder: str
) -> None:
    place = str(settings.home / folder)
    with pytest.raises(Refused, match="that livereview fills itself; choose one"):
        backup.backup(worked, target=place, name="one", now=NOW)
    with pytest.raises(Refused, match="that livereview fills itself; choose one"):
        Follower(worked, place)


def test_a_home_with_an_apostrophe_in_its_path_is_backed_up_too(
    tmp_path: Path, protocol: str
) -> None:
    home = tmp_path / "l'accueil"
    home.mkdir()
    with Store(home / "livereview.duckdb", reserve=0) as store:
        ops.surveil.register(store, text=protocol, now=NOW)
        backup.backup(store, name="a", now=NOW)
    assert restore.check(str(home / "backups")).problems == []


def test_only_the_newest_copies_stay_with_all_they_need(
    worked: Store, settings: Settings, place: str
) -> None:
    for number in range(2, 5):
        act(worked, settings, number)
        backup.backup(worked, target=place, name=f"n{number}", now=NOW + number * MINUTE)
    done = backup.backup(worked, target=place, name="n5", keep=2, now=NOW + 5 * MINUTE)
    assert done["removed"] == ["n2", "n3"]
    assert backup.whole_copies(at(place)) == ["n4", "n5"]
    assert restore.check(place, "n4").problems == [] and restore.check(place, "n5").problems == []
    with pytest.raises(Refused, match="has no copy 'n2'; it has n4, n5"):
        restore.check(place, "n2")


def test_a_copy_that_fails_leaves_nothing_under_its_name(
    worked: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "nas"

    def broken(path: Path, expected: object, seq: int, fresh: bool) -> None:
        raise Refused("the copy is not whole")

    with monkeypatch.context() as patched:
        patched.setattr(copies, "check", broken)
        with pytest.raises(Refused, match="not whole"):
            backup.backup(worked, target=str(place), name="a", now=NOW)
    assert not (place / "copies").exists()
    assert list(settings.home.glob("backups/.staging*")) == []
    assert backup.backup(worked, target=str(place), name="a", now=NOW)["name"] == "a"


def test_a_full_place_leaves_no_copy_and_is_told(worked: Store, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 3) as disk:
        disk.fill(leave=MB // 2)
        with pytest.raises(Retry, match="the backup's disk is full"):
            backup.backup(worked, target=str(disk.folder / "nas"), name="a", now=NOW)
        assert backup.whole_copies(at(str(disk.folder / "nas"))) == []
        assert list((disk.folder / "nas").glob("copies/*/*.duckdb")) == []


def test_people_decide_and_pages_are_published_while_a_copy_is_made(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    stop = threading.Event()
    acknowledged: list[str] = []

    def work() -> None:
        number = 1_000
        while not stop.is_set():
            number += 1
            (record,) = found(worked, article(number), search=f"t{number}")
            include(worked, record)
            ops.publish.publish(worked, review=REVIEW, folder=settings.site, now=NOW)
            acknowledged.append(record)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        sure: list[int] = []
        for number in range(5):
            before = len(acknowledged)
            backup.backup(
                worked, target=str(tmp_path / "nas"), name=f"c{number}", now=NOW + number * MINUTE
            )
            sure.append(before)
    finally:
        stop.set()
        thread.join()
    for number, least in enumerate(sure):
        told = restore.check(str(tmp_path / "nas"), f"c{number}")
        assert told.problems == []
        assert told.counts["decision"] >= 8 + 4 * least


def test_a_home_in_use_is_not_overwritten_and_nothing_is_ever_deleted(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    place = str(tmp_path / "nas")
    backup.backup(worked, target=place, name="a", now=NOW)
    home = tmp_path / "other"
    with Store(home / "livereview.duckdb", reserve=0):
        with pytest.raises(Refused, match="is in use"):
            restore.restore(place, home)
        with pytest.raises(Refused, match=f"owned by process {os.getpid()}"):
            restore.restore(place, home, replace=True)
    old = (home / "livereview.duckdb").read_bytes()
    told = restore.restore(place, home, replace=True)
    assert (Path(told.aside) / "livereview.duckdb").read_bytes() == old
    assert told.problems == [] and rows_of(home)["decision"]


def test_damage_is_told_by_name_and_an_older_copy_is_taken(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "nas"
    backup.backup(worked, target=str(place), name="old", now=NOW)
    act(worked, settings, 2)
    backup.backup(worked, target=str(place), name="new", now=NOW + MINUTE)
    database = place / "copies" / "new" / "livereview.duckdb"
    whole = bytearray(database.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    database.write_bytes(whole)
    told = restore.check(str(place))
    assert told.copy == "old" and "new/livereview.duckdb is damaged" in told.problems[0]
    pdf = next(
        path
        for path in (place / "files").rglob("*")
        if path.is_file() and path.read_bytes().startswith(PDF)
    )
    pdf.unlink()
    told = restore.check(str(place), "old")
    assert any(
        "full-texts/" in problem and "is not in the backup" in problem for problem in told.problems
    )
    manifest = place / "copies" / "old" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"seq"', b'"sep"', 1))
    with pytest.raises(Refused, match=r"no copy in .* is sound"):
        restore.check(str(place))


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "site/../../x", "owner.token", "livereview.duckdb"]
)
def test_a_hostile_backup_writes_nothing_outside_of_what_a_backup_holds(path: str) -> None:
    from livereview.backups.manifest import read_tree

    with pytest.raises(Refused, match="leads out of a home"):
        read_tree({"files": {path: {"sha256": "0" * 64, "size": 1, "public": False}}, "links": {}})
    with pytest.raises(Refused, match="leads out of"):
        read_tree(
            {"files": {}, "links": {"site/x/latest": path if path[0] in "/." else f"../{path}"}}
        )


def test_a_place_that_is_none_is_told_with_what_would_do() -> None:
    with pytest.raises(Refused, match=r"pip install 'livereview\[s3\]'"):
        at("s3://bucket/folder")
    with pytest.raises(Refused, match="is no place for a backup"):
        at("carrier-pigeon://x")
    with pytest.raises(Refused, match="a backup needs a place"):
        at("  ")
    assert without_secrets("sftp://me:pass@host:22/x?key=1") == "sftp://host:22/x"


def test_a_database_file_alone_comes_back_and_says_what_it_has_not(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    with worked.still() as con:
        (settings.home / "backups").mkdir(exist_ok=True)
        copies.copy_all(con, settings.home / "backups" / "old.duckdb")
    told = restore.restore(str(settings.home / "backups" / "old.duckdb"), tmp_path / "home")
    assert "full texts and published versions are not in it" in told.problems[0]
    assert told.counts["decision"] == 8 and rows_of(tmp_path / "home")["decision"]


def test_a_home_without_a_backup_for_days_is_an_alarm(worked: Store, tmp_path: Path) -> None:
    assert service.backup_problem(worked) is None, "it is new"
    worked.write(lambda con: con.execute("UPDATE birth SET made = made - INTERVAL 3 DAY"))
    assert "there has never been a backup" in (service.backup_problem(worked) or "")
    backup.backup(worked, target=str(tmp_path / "nas"), now=NOW)
    assert service.backup_problem(worked) is None
    last = worked.backups / "last.json"
    last.write_text(last.read_text().replace('"made": "20', '"made": "19'))
    assert "the last backup is of 19" in (service.backup_problem(worked) or "")


def test_numbers_go_on_after_the_last_event_and_sessions_end(
    worked: Store, settings: Settings, tmp_path: Path
) -> None:
    session = "INSERT INTO session (secret_hash, name, ends, made) VALUES ('x', 'ada1', ?, ?)"
    worked.write(lambda con: con.execute(session, [NOW + MINUTE, NOW]))
    backup.backup(worked, target=str(tmp_path / "nas"), now=NOW)
    restore.restore(str(tmp_path / "nas"), tmp_path / "home")
    with Store(tmp_path / "home" / "livereview.duckdb", reserve=0) as store:
        with store.read() as con:
            last = past.seen(con)
            assert con.execute("SELECT count(*) FROM session").fetchall() == [(0,)]
        store.write(
            lambda con: con.execute(
                "INSERT INTO outbox (review, cause, made) VALUES ('r', 'x', now())"
            )
        )
        with store.read() as con:
            assert past.seen(con) > last
