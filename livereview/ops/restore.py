"""Bringing a home back from a backup, or proving in a scratch folder that it could be."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from livereview.backups import listing
from livereview.backups.manifest import (
    FOLDERS,
    Increment,
    Kept,
    Manifest,
    Tree,
    read_increment,
    read_manifest,
    unsealed,
)
from livereview.backups.target import NAME, Target, at
from livereview.disk import room, sync_folder
from livereview.errors import DiskFull, LivereviewError, Refused
from livereview.ops import settle
from livereview.ops.backup import DATABASE, DETAILS, HEAD, MANIFEST, whole_copies
from livereview.ops.moving import LOST, Move, all_or_nothing, move_whole
from livereview.store import copies, past, records
from livereview.store.open import Connection, OwnerLock, Store, connect

# of a home, where it is: the backup may be read from there
STAYS = ("backups", "owner.token", LOST)
SETS_ASIDE = "replaced-"


@dataclass(slots=True)
class Found:
    """What a backup held and what came of it.

    Attributes:
        problems: What is damaged or missing, a sentence each; the restore goes as far as it can
            without it.
    """

    place: str
    copy: str
    made: str
    seq: int
    increments: int = 0
    upto: int = 0
    last_made: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    files: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    aside: str = ""


def restore(address: str, home: Path, *, replace: bool = False, copy: str | None = None) -> Found:
    """Bring back what `address` holds into `home`: a place of backups, or one database file.

    Nothing of the home is touched before all that comes back was read, checked and opened.

    Args:
        replace: What is in the home now is moved into a folder `replaced-…` within it; without, a
            home in use is refused.
        copy: The name of a whole copy; None: the newest that is sound.
    """
    home = home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    occupied = sorted(path.name for path in home.iterdir() if _is_content(path))
    if occupied and not replace:
        raise Refused(
            f"{home} is in use ({', '.join(occupied[:4])}); restore elsewhere with --home, or add --replace: "
            f"what is there is then moved into a folder {SETS_ASIDE}… within it, and nothing is deleted"
        )
    lock = OwnerLock(home / DATABASE)  # raises Refused while an owner lives
    try:
        for abandoned in home.glob(
            ".restore-*"
        ):  # of one that was killed: nobody else is at work here now
            shutil.rmtree(abandoned, ignore_errors=True)
        scratch = home / f".restore-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
        try:
            found = _prepare(at(address) if not _is_file(address) else None, address, scratch, copy)
            with all_or_nothing() as move:
                if occupied:
                    found.aside = str(_set_aside(home, occupied, move))
                _move_in(scratch, home, move)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    finally:
        lock.release()
    return found


def check(address: str, copy: str | None = None, scratch: Path | None = None) -> Found:
    """Do all that a restore does in a scratch folder, which is gone afterwards: read, verify, put
    together, count.
    """
    with tempfile.TemporaryDirectory(prefix="livereview-restore-", dir=scratch) as folder:
        return _prepare(
            at(address) if not _is_file(address) else None, address, Path(folder) / "home", copy
        )


def _is_content(path: Path) -> bool:
    if path.is_dir() and not any(inner.name != LOST for inner in path.iterdir()):
        return False  # such as one on which a disk is mounted
    return (
        path.name not in STAYS
        and not path.name.startswith((".", SETS_ASIDE))
        and path.suffix != ".owner"
    )


def _is_file(address: str) -> bool:
    return "://" not in address and Path(address).expanduser().is_file()


def manifest_of(place: Target, name: str) -> Manifest:
    """What a copy says of itself.

    Raises:
        Refused: where it or its database is damaged or not all there.
    """
    manifest = read_manifest(place.read(f"copies/{name}/{MANIFEST}"), f"the manifest of {name}")
    size = place.size(f"copies/{name}/{DATABASE}")
    if size != manifest.database.size:
        raise Refused(
            f"the copy {name} is damaged: its database has {size} bytes instead of {manifest.database.size}"
        )
    return manifest


def _prepare(place: Target | None, address: str, scratch: Path, copy: str | None) -> Found:
    scratch.mkdir(mode=0o700, parents=True)
    if place is None:
        return _only_database(Path(address).expanduser(), scratch)
    problems: list[str] = []
    manifest = _choose(place, copy, scratch / DATABASE, problems)
    settings = manifest.settings
    found = Found(
        place=place.words,
        copy=manifest.name,
        made=manifest.made,
        seq=manifest.seq,
        upto=manifest.seq,
        last_made=manifest.made,
        missing=manifest.missing,
        secrets=tuple(settings.get("secrets", ())),
        problems=problems,
    )
    copies.check(scratch / DATABASE, manifest.counts, manifest.seq)
    tree = _put_together(place, manifest, scratch, found)
    _bring_files(place, tree, scratch, found)
    _open(scratch, found)
    return found


def _choose(place: Target, copy: str | None, target: Path, problems: list[str]) -> Manifest:
    """Fetch the newest sound whole copy; damaged ones are told and passed over."""
    known = whole_copies(place)
    if copy is not None and copy not in known:
        raise Refused(f"{place.words} has no copy {copy!r}; it has {', '.join(known) or 'none'}")
    if not known:
        raise Refused(f"{place.words} holds no backup: it has no copies/…/{MANIFEST}")
    for name in [copy] if copy else reversed(known):
        try:
            if not NAME.fullmatch(name):
                raise Refused(f"{name!r} is not the name of a copy")
            manifest = manifest_of(place, name)
            _fetch(place, f"copies/{name}/{DATABASE}", manifest.database, target)
        except Refused as error:
            problems.append(error.message)
        else:
            return manifest
    raise Refused(f"no copy in {place.words} is sound: {'; '.join(problems)}")


def _fetch(place: Target, name: str, kept: Kept, target: Path) -> None:
    """Bring a file; raises Refused where it is not there or not the one that was put there."""
    free = room(target.parent).free
    if free < kept.size:
        raise DiskFull(
            f"the disk is full: {target.parent} has {free:,} bytes free, and {kept.size:,} are needed"
        )
    if place.size(name) is None:
        raise Refused(f"{name} is not in the backup")
    target.parent.mkdir(mode=0o755 if kept.public else 0o700, parents=True, exist_ok=True)
    place.fetch(name, target)
    target.chmod(0o644 if kept.public else 0o600)
    if listing.sha256_of(target) != kept.sha256:
        target.unlink()
        raise Refused(f"{name} is damaged: it has another checksum than when it was kept")


def _put_together(place: Target, manifest: Manifest, scratch: Path, found: Found) -> Tree:
    """Put the increments back in their order, as far as they are whole.

    The files there are then.
    """
    tree = manifest.tree
    put_back = {""}  # checksums of the increments; none is what the place says before the first
    kinds: set[str] = set()
    parts = scratch / ".parts"
    parts.mkdir(mode=0o700)
    con = connect(scratch / DATABASE, parts, "1GB", 2)
    try:
        for increment, sha256, packed in _increments(place, manifest, found):
            _unpack(packed, parts)
            try:
                copies.put_back(con, parts, increment.rows, increment.whole)
            except (duckdb.Error, Refused) as error:
                words = str(error).splitlines()[0][:200]
                found.problems.append(
                    f"increment {increment.number} could not be put back: {words}"
                )
                break
            kinds |= set(increment.rows)
            tree = tree.after(increment.changed, list(increment.gone))
            put_back.add(sha256)
            found.increments, found.upto, found.last_made = (
                increment.number,
                increment.end,
                increment.made,
            )
            found.counts = increment.counts
        found.counts = found.counts or manifest.counts
        _compare_counts(con, found)
        _derive(con, kinds)
        copies.finish(con, found.upto, "ranking" in kinds)
        con.execute("CHECKPOINT")
    finally:
        con.close()
        shutil.rmtree(parts)
    _compare_head(place, manifest, put_back, found)
    return tree


def _increments(
    place: Target, manifest: Manifest, found: Found
) -> Iterator[tuple[Increment, str, bytes]]:
    """The increments of a copy in their order, up to the first that is missing or damaged, which is
    told.
    """
    names: dict[int, list[str]] = {}
    for name in place.names(f"copies/{manifest.name}/increments"):
        digits = name.rpartition("/")[2].partition(".")[0]
        if digits.isdigit() and name.endswith(".zip"):
            names.setdefault(int(digits), []).append(name)
    previous, end, number = "", manifest.seq, 1
    while number in names:
        following = None
        for name in sorted(names[number]):
            try:
                following = _read_increment(place, name, manifest.name, number, previous, end)
                break
            except Refused as error:
                found.problems.append(error.message)
        if following is None:
            break
        yield following
        previous, end, number = following[1], following[0].end, number + 1
    later = [known for known in names if known > number]
    if number not in names and later:
        found.problems.append(
            f"increment {number} is missing, so {len(later)} later ones can't be used"
        )


def _read_increment(
    place: Target, name: str, copy: str, number: int, previous: str, end: int
) -> tuple[Increment, str, bytes]:
    sha256 = name.removesuffix(".zip").rpartition(".")[2]
    body = place.read(name)
    if listing.sha256_of_bytes(body) != sha256:
        raise Refused(f"{name} is damaged: it has another checksum than its name says")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            increment = read_increment(packed.read(DETAILS), name)
    except (zipfile.BadZipFile, KeyError):
        raise Refused(f"{name} is damaged: it is not the archive that a backup writes") from None
    if (increment.copy, increment.number, increment.previous, increment.start) != (
        copy,
        number,
        previous,
        end,
    ):
        raise Refused(f"{name} does not go on where the one before it ended")
    return increment, sha256, body


def _unpack(body: bytes, folder: Path) -> None:
    """The tables of an increment as files; their names come from us, not from the archive."""
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        for name in packed.namelist():
            table = name.removesuffix(".parquet")
            if name != DETAILS and table.isidentifier():
                (folder / f"{table}.parquet").write_bytes(packed.read(name))


def _derive(con: Connection, kinds: set[str]) -> None:
    """Make again what follows from the events that came back, as much as they can have moved."""
    if "record" in kinds:
        settle.rebuild(con)
    elif kinds:
        settle.derive(con, records.ids(con))


def _compare_counts(con: Connection, found: Found) -> None:
    there = copies.counts(con)
    for table, number in found.counts.items():
        if there.get(table) != number:
            found.problems.append(f"{table} has {there.get(table, 0):,} rows instead of {number:,}")
    found.counts = there


def _compare_head(
    place: Target, manifest: Manifest, put_back: Collection[str], found: Found
) -> None:
    """Tell what the place itself says that it had, and is not there.

    More may be there than it says: an owner that was killed had shipped an increment and not noted
    it yet.
    """
    with suppress(LivereviewError):
        if place.size(HEAD) is None:
            return
        head = unsealed(place.read(HEAD), HEAD)
        if head["copy"] == manifest.name and head["last"] not in put_back:
            found.problems.append(
                f"{place.words} had events up to number {head['seq']:,} of {head['made']}; those after "
                f"{found.upto:,} did not come back"
            )


def _bring_files(place: Target, tree: Tree, scratch: Path, found: Found) -> None:
    """Full texts, published files and recordings.

    One that is damaged is told, and the others come back.
    """
    for path, kept in tree.files.items():
        try:
            _fetch(place, listing.place(kept.sha256), kept, scratch / path)
        except Refused as error:
            found.problems.append(f"{path}: {error.message}")
        else:
            found.files += 1
    for path, to in tree.links.items():
        link = scratch / path
        link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        link.symlink_to(to)


def _open(scratch: Path, found: Found) -> None:
    """Open what came back as an owner would, and look at what people will ask for first."""
    with Store(scratch / DATABASE, "1GB", 2, 0) as store, store.read() as con:
        seen = past.seen(con)
        if seen != found.upto:
            found.problems.append(f"the last event has number {seen:,} instead of {found.upto:,}")
        rows = con.execute(
            "SELECT review, max(number) FROM version GROUP BY review ORDER BY review"
        ).fetchall()
        found.versions = dict(rows)
        wanted = con.execute("SELECT DISTINCT sha256 FROM full_text").fetchall()
    for review, number in found.versions.items():
        if not (scratch / "site" / review / "latest" / "index.html").is_file():
            found.problems.append(
                f"the page of {review} is not there; `livereview publish --review {review}`"
            )
        for one in range(1, number + 1):
            if not (scratch / "site" / review / "v" / str(one)).is_dir():
                found.problems.append(f"version {one} of {review} is not there")
    for (sha256,) in wanted:
        if not (scratch / "full-texts" / f"{sha256}.pdf").is_file():
            found.problems.append(f"the full text {sha256[:12]}… is not there")
    for path in scratch.glob("livereview.*"):
        if path.name != DATABASE:
            path.unlink()
    shutil.rmtree(scratch / "backups", ignore_errors=True)


def _only_database(path: Path, scratch: Path) -> Found:
    """A database file alone, such as older versions of `livereview backup` made."""
    shutil.copyfile(path, scratch / DATABASE)
    (scratch / DATABASE).chmod(0o600)
    wal = path.with_name(f"{path.name}.wal")
    if wal.exists():
        shutil.copyfile(wal, scratch / f"{DATABASE}.wal")
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    with Store(scratch / DATABASE, "1GB", 2, 0) as store:
        with store.read() as con:
            seq, there = past.seen(con), copies.counts(con)
        store.write(lambda con: copies.finish(con, seq, False))
    found = Found(str(path), path.name, made, seq, upto=seq, last_made=made, counts=there)
    found.problems.append(
        "this is a database alone: full texts and published versions are not in it"
    )
    _open(scratch, found)
    return found


def _set_aside(home: Path, names: list[str], move: Move) -> Path:
    """Move what is in a home into a folder of its own there."""
    aside = home / f"{SETS_ASIDE}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    try:
        for name in sorted(names, key=lambda name: not name.startswith("livereview.duckdb")):
            move_whole(home / name, aside / name, move)
    except OSError:
        with suppress(OSError):
            aside.rmdir()
        raise
    return aside


def _move_in(scratch: Path, home: Path, move: Move) -> None:
    """The database last: a home without one is not opened."""
    for told in home.glob("backups/follow*.json"):  # they tell of the database that was here
        told.unlink(missing_ok=True)
    for name in (*FOLDERS, DATABASE):
        if (scratch / name).exists():
            move_whole(scratch / name, home / name, move)
    sync_folder(home)
