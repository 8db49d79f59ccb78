"""What is behind: `python -m scripts.behind` asks the resolver which versions of the lock file
could be newer.

Needs uv. What pyproject.toml itself holds back can't be newer here, so it is listed with its
reason.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?: ; (.+?))? \\$", re.MULTILINE)
HELD = re.compile(r'^\s+"([A-Za-z0-9._-]+)[^"]*<[^"]*",(?:\s*#\s*(.*))?$', re.MULTILINE)


def pins(lock: str) -> dict[tuple[str, str], str]:
    """The version of each package of a lock file, by its name and the machines that it is for."""
    return {(name, marker or ""): version for name, version, marker in PIN.findall(lock)}


def direct(project: str) -> set[str]:
    """The packages that pyproject.toml names itself."""
    named = re.findall(r'^\s+"([A-Za-z0-9._-]+)(?:[<>=~!\[][^"]*)?",', project, re.MULTILINE)
    return {name.lower().replace("_", "-") for name in named}


def held_back(project: str) -> list[tuple[str, str]]:
    """The packages with an upper bound, each with the reason that stands beside it."""
    return [(name, reason or "") for name, reason in HELD.findall(project)]


def behind(before: str, after: str, named: set[str]) -> list[str]:
    """A line for each package that has another version in `after`; our own first."""
    old, new = pins(before), pins(after)
    lines = []
    for key, version in new.items():
        if key in old and old[key] != version:
            name, marker = key
            ours = name in named
            where = f" ({marker})" if marker else ""
            lines.append(
                (not ours, f"{'*' if ours else ' '} {name} {old[key]} -> {version}{where}")
            )
    return [line for _, line in sorted(lines)]


def resolved() -> str:
    """The lock file as it would be today, with the newest versions that pyproject.toml allows."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv is not there: pip install uv")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "requirements.lock"
        command = [uv, "pip", "compile", str(PROJECT), "--universal", "--extra", "dev"]
        command += ["--generate-hashes", "--no-header", "--quiet", "--upgrade", "-o", str(target)]
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  (a fixed command)
        return target.read_text(encoding="utf-8")


def main() -> None:
    """Print what could be newer, and what is held back."""
    project = PROJECT.read_text(encoding="utf-8")
    lines = behind(LOCK.read_text(encoding="utf-8"), resolved(), direct(project))
    print(
        "Behind (* named in pyproject.toml):"
        if lines
        else "Nothing is behind what pyproject.toml allows."
    )
    for line in lines:
        print(line)
    print("\nHeld back by pyproject.toml:")
    for name, reason in held_back(project):
        print(f"  {name}: {reason or 'no reason is written down'}")


if __name__ == "__main__":
    main()
