"""Put PDF.js into the app: the files it needs of one version of npm's package `pdfjs-dist`.

    python scripts/vendor_pdfjs.py

The package is checked against the digest below before anything is taken from it. What is taken is
listed with its digest in SHA256SUMS, which the tests hold the folder to. To take another version,
change both constants: `npm view pdfjs-dist@VERSION dist.integrity` has the second.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

VERSION = "6.5.438"
INTEGRITY = "sha512-vg8Pw1x+AFKy4AMDvhuWl5cOYV8d698UoEANoFFhc79hqXDnZQqnOXoxw3HG907WHOg1JYOvLhP756boddFxpA=="
FOLDER = Path(__file__).resolve().parents[1] / "livereview/web/static/pdfjs"
SUMS = "SHA256SUMS"

# The legacy build runs in browsers that are some years old. The sandbox for a document's own
# scripts is left out, so none can run; so are WebAssembly modules, which our policy forbids.
FILES = {
    "LICENSE": "LICENSE",
    "legacy/build/pdf.min.mjs": "pdf.min.mjs",
    "legacy/build/pdf.worker.min.mjs": "pdf.worker.min.mjs",
    "legacy/web/pdf_viewer.mjs": "pdf_viewer.mjs",
    "wasm/jbig2_nowasm_fallback.js": "wasm/jbig2_nowasm_fallback.js",
    "wasm/openjpeg_nowasm_fallback.js": "wasm/openjpeg_nowasm_fallback.js",
    "wasm/LICENSE_JBIG2": "wasm/LICENSE_JBIG2",
    "wasm/LICENSE_PDFJS_JBIG2": "wasm/LICENSE_PDFJS_JBIG2",
    "wasm/LICENSE_OPENJPEG": "wasm/LICENSE_OPENJPEG",
    "wasm/LICENSE_PDFJS_OPENJPEG": "wasm/LICENSE_PDFJS_OPENJPEG",
}
# for documents without their own fonts, and in East Asian encodings
WHOLE_FOLDERS = ("standard_fonts", "cmaps")
# Fonts under the GPL, which could stand in for Helvetica: the reader's own machine has one.
NOT_TAKEN = "Liberation"


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        archive = _download(Path(work))
        _check(archive)
        shutil.rmtree(FOLDER, ignore_errors=True)
        _take(archive)
    _write_sums()


def _download(work: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is missing; it downloads the package")
    subprocess.run([npm, "pack", f"pdfjs-dist@{VERSION}"], cwd=work, check=True)  # noqa: S603
    return work / f"pdfjs-dist-{VERSION}.tgz"


def _check(archive: Path) -> None:
    digest = hashlib.sha512(archive.read_bytes()).digest()
    integrity = f"sha512-{base64.b64encode(digest).decode()}"
    if integrity != INTEGRITY:
        raise SystemExit(f"the package is not the one expected: {integrity}")


def _take(archive: Path) -> None:
    with tarfile.open(archive) as package:
        for member in package:
            target = _target(PurePosixPath(member.name).relative_to("package"))
            content = package.extractfile(member)
            if target is None or content is None:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def _target(name: PurePosixPath) -> Path | None:
    """Where a file of the package goes; None for what is not taken."""
    if str(name) in FILES:
        return FOLDER / FILES[str(name)]
    if name.parts[0] not in WHOLE_FOLDERS or NOT_TAKEN.casefold() in name.name.casefold():
        return None
    return FOLDER / name


def _write_sums() -> None:
    lines = [f"# pdfjs-dist {VERSION}, taken by scripts/vendor_pdfjs.py"]
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest}  {path.relative_to(FOLDER).as_posix()}")
    (FOLDER / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
