"""What a copy and an increment say of themselves, as JSON that carries its own checksum."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from livereview.errors import Refused

FORMAT = 1
FOLDERS = ("full-texts", "site", "recordings")  # of a home, that a backup holds
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file's content: its sha256 and bytes; `public` files may be read by everybody."""

    sha256: str
    size: int
    public: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """Files and links of a home by their paths in it."""

    files: Mapping[str, Kept] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def changed(self, before: Tree) -> Tree:
        """What is new or different since then."""
        files = {path: kept for path, kept in self.files.items() if before.files.get(path) != kept}
        links = {path: to for path, to in self.links.items() if before.links.get(path) != to}
        return Tree(files, links)

    def gone(self, before: Tree) -> list[str]:
        """Paths that were there then and are no more."""
        return sorted(
            (before.files.keys() | before.links.keys()) - (self.files.keys() | self.links.keys())
        )

    def after(self, changed: Tree, gone: list[str]) -> Tree:
        """This tree with these changes."""
        lost = {*gone, *changed.links, *changed.files}
        files = {path: kept for path, kept in self.files.items() if path not in lost}
        links = {path: to for path, to in self.links.items() if path not in lost}
        return Tree({**files, **changed.files}, {**links, **changed.links})


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole copy.

    Attributes:
        seq: The number of the last event in it; increments go on from there.
        order: Its number among the copies of its place: the newest has the highest, whatever clocks
            said.
        counts: Rows of each table.
        settings: Those that are no secret, and the names of the secrets that were set.
        missing: What is not in it, a sentence each.
    """

    name: str
    made: str
    program: str
    migration: int
    seq: int
    order: int
    database: Kept
    counts: Mapping[str, int]
    tree: Tree
    settings: Mapping[str, Any]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Increment:
    """What came after a copy or after another increment.

    Attributes:
        previous: Sha256 of the increment before; "" for the first.
        rows: How many rows each table's file holds.
        whole: Tables that replace what was there.
        counts: Rows of each table of events afterwards, over all.
    """

    copy: str
    number: int
    previous: str
    start: int
    end: int
    made: str
    migration: int
    rows: Mapping[str, int]
    whole: tuple[str, ...]
    counts: Mapping[str, int]
    changed: Tree
    gone: tuple[str, ...]

    def file(self, sha256: str) -> str:
        """Its name in the folder of its copy."""
        return f"increments/{self.number:08d}.{self.start}-{self.end}.{sha256}.zip"


def sealed(content: Mapping[str, Any]) -> bytes:
    """JSON with the checksum of itself."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    whole = {"content": content, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, indent=1).encode()


def unsealed(body: bytes, what: str) -> dict[str, Any]:
    """What `sealed` was given; raises Refused where it is torn or was changed."""
    try:
        whole = json.loads(body)
        content, sha256 = whole["content"], whole["sha256"]
        text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{what} is damaged: it is not the JSON that a backup writes") from None
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise Refused(f"{what} is damaged: it has another checksum than it says")
    if content.get("format") != FORMAT:
        raise Refused(
            f"{what} has format {content.get('format')}, this livereview reads {FORMAT}; update livereview"
        )
    found: dict[str, Any] = content
    return found


def written(one: Manifest | Increment) -> bytes:
    return sealed({"format": FORMAT, **asdict(one)})


def read_manifest(body: bytes, what: str) -> Manifest:
    content = unsealed(body, what)
    try:
        del content["format"]
        content.setdefault("order", 0)  # older copies have none, and go by their times
        content |= {"database": Kept(**content["database"]), "tree": read_tree(content["tree"])}
        return Manifest(**{**content, "missing": tuple(content["missing"])})
    except (KeyError, TypeError) as error:
        raise Refused(f"{what} is damaged: {error}") from None


def read_increment(body: bytes, what: str) -> Increment:
    content = unsealed(body, what)
    try:
        del content["format"]
        content |= {
            "changed": read_tree(content["changed"]),
            "gone": tuple(map(_path, content["gone"])),
        }
        return Increment(**{**content, "whole": tuple(content["whole"])})
    except (KeyError, TypeError) as error:
        raise Refused(f"{what} is damaged: {error}") from None


def read_tree(data: Mapping[str, Any]) -> Tree:
    """Raises Refused for a path that leads out of a home."""
    files = {_path(path): _kept(kept) for path, kept in data["files"].items()}
    return Tree(files, {_path(path): _link(path, to) for path, to in data["links"].items()})


def _kept(data: Mapping[str, Any]) -> Kept:
    kept = Kept(**data)
    if not SHA256.fullmatch(kept.sha256):
        raise Refused(f"a backup names files by sha256; got {kept.sha256!r}")
    return kept


def _path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if (
        "\0" in path
        or not parts
        or parts[0] not in FOLDERS
        or ".." in parts
        or path.startswith("/")
    ):
        raise Refused(f"this backup has a path that leads out of a home: {path!r}")
    return path


def leads_out(to: str) -> bool:
    """Whether a link to there may lead out of the folder that it is in."""
    return to.startswith("/") or "\0" in to or ".." in PurePosixPath(to).parts


def _link(path: str, to: str) -> str:
    """Links of the published folder lead to their neighbours."""
    if leads_out(to):
        raise Refused(f"this backup has a link that leads out of its folder: {path!r}")
    return to
