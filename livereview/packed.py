"""Files that people bring packed: unpacked piece by piece, and no further than a real one goes."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

from livereview.errors import Refused

MEGABYTE = 1_000_000
LARGEST = 500 * MEGABYTE  # after unpacking; a larger file is split by whoever exported it
RATIO = 100  # times the packed size: real exports have 3 to 15
UNSUSPICIOUS = 20 * MEGABYTE  # below which the ratio says nothing
PIECE = 1 << 16  # of the packed file: what follows a member is copied at its end
MOST_MEMBERS = 20_000
_GZIP = 31  # what zlib calls a stream with the head and the end of gzip
_MARK = b"\x1f\x8b"


def unpacked(body: bytes, name: str, largest: int = LARGEST) -> bytes:
    """The file's bytes, unpacked if it is gzip, which may have several members.

    Raises:
        Refused: it is damaged, cut off, or unpacks to more than a real file does.
    """
    if not body.startswith(_MARK):
        return body
    most = min(largest, max(UNSUSPICIOUS, RATIO * len(body)))
    whole = bytearray()
    start = members = 0
    try:
        while body.startswith(_MARK, start) and len(whole) <= most and members < MOST_MEMBERS:
            start = _member(body, start, whole, most)
            members += 1
    except zlib.error as error:
        raise Refused(f"{name} can't be read: {error}; check that it was copied whole") from None
    if len(whole) > most:
        raise Refused(
            f"{name} unpacks to more than {most // MEGABYTE:,} MB from {len(body):,} bytes; split it"
        )
    if members == MOST_MEMBERS and start < len(body):
        raise Refused(f"{name} is packed in more than {MOST_MEMBERS:,} parts; pack it again")
    return bytes(whole)


def _member(packed: bytes, start: int, whole: bytearray, most: int) -> int:
    """Add what one member holds to `whole`, or as much as shows that it is too much.

    Where the next one may begin.
    """
    engine = zlib.decompressobj(_GZIP)
    for begin in range(start, len(packed), PIECE):
        pending = packed[begin : begin + PIECE]
        end = begin + len(pending)
        while pending and not engine.eof and len(whole) <= most:
            whole += engine.decompress(pending, MEGABYTE)
            pending = engine.unconsumed_tail
        if engine.eof:
            return end - len(engine.unused_data)
        if len(whole) > most:
            return end
    raise zlib.error("it ends early")


# --- archives (.zip) of several exports
# --------------------------------------------------------------------------------------------------

MOST_FILES = 200  # that hold something; real exports have one to ten
_ZIP_MARK = b"PK\x03\x04"
# Packed files that are one file to a person: Excel, Word and OpenDocument.
_DOCUMENTS = ("[Content_Types].xml", "mimetype")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Packed:
    """A file with what it is called: without folders, so that it is no path to anywhere.

    Attributes:
        archived: Whether it comes out of an archive, where other files may stand beside exports.
    """

    name: str
    body: bytes
    archived: bool = False


def is_archive(body: bytes) -> bool:
    """Whether the bytes are a .zip of files, and no document that is packed in the same way."""
    if not body.startswith(_ZIP_MARK):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return not any(part in archive.namelist() for part in _DOCUMENTS)
    except _DAMAGED:
        return True  # `members` says that it is damaged


def members(body: bytes, name: str, largest: int = LARGEST) -> tuple[Packed, ...]:
    """The files of an archive that hold something, in its order; what its head says is not believed.

    Hidden files and those that a Mac adds are left out; archives within archives stay packed.

    Raises:
        Refused: it is damaged, encrypted, holds too many files or unpacks to more than real
            exports do.
    """
    most = min(largest, max(UNSUSPICIOUS, RATIO * len(body)))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = [part for part in archive.infolist() if _is_wanted(part)]
            _check_parts(parts, name)
            return _read_parts(archive, parts, name, most)
    except _DAMAGED as error:
        raise Refused(f"{name} can't be read: {error}; check that it was copied whole") from None


def _is_wanted(part: zipfile.ZipInfo) -> bool:
    base = _base(part.filename)
    is_hidden = not base or base.startswith(".") or part.filename.startswith("__MACOSX")
    return not part.is_dir() and not is_hidden


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _check_parts(parts: list[zipfile.ZipInfo], name: str) -> None:
    """Nothing for parts that people pack.

    Raises:
        Refused: they are none, too many, encrypted, or packed in an unusual way.
    """
    if not parts:
        raise Refused(f"{name} holds no file")
    if len(parts) > MOST_FILES:
        raise Refused(f"{name} holds {len(parts):,} files; at most {MOST_FILES} are read: split it")
    for part in parts:
        if part.flag_bits & _ENCRYPTED:
            raise Refused(f"{name} is encrypted; unpack it with its password first")
        if part.compress_type not in _METHODS:
            raise Refused(
                f"{name} is packed in an unusual way; unpack it, or pack it again as .zip"
            )


def _read_parts(
    archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], name: str, most: int
) -> tuple[Packed, ...]:
    """The parts, `most` bytes of all of them together."""
    unpacked_parts: list[Packed] = []
    room = most
    for part in parts:
        with archive.open(part) as stream:
            body = stream.read(room + 1)
        room -= len(body)
        if room < 0:
            raise Refused(f"{name} unpacks to more than {most // MEGABYTE:,} MB; split it")
        if body:
            unpacked_parts.append(Packed(_base(part.filename), body, archived=True))
    return tuple(unpacked_parts)
