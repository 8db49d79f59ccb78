"""The tools for those who work on livereview: what is behind, and odd machines."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts import behind

ROOT = Path(__file__).resolve().parents[1]
LOCK = """duckdb==2.0.0 \\
    --hash=sha256:aa
    # via livereview (pyproject.toml)
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:bb
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:cc
zipp==4.1.2 \\
    --hash=sha256:dd
"""
PROJECT = """dependencies = [
    "duckdb>=2.0,<2.1",           # 2.1 writes other bytes
    "numpy>=2.0",
    "scikit-learn>=1.5",
]
"""


def test_what_is_behind_is_told_our_own_first_and_for_each_python() -> None:
    newer = (
        LOCK.replace("zipp==4.1.2", "zipp==4.2")
        .replace("2.5.5", "2.6")
        .replace("duckdb==2.0.0", "duckdb==2.0.1")
    )
    assert behind.behind(LOCK, newer, behind.direct(PROJECT)) == [
        "* duckdb 2.0.0 -> 2.0.1",
        "* numpy 2.5.5 -> 2.6 (python_full_version >= '3.12')",
        "  zipp 4.1.2 -> 4.2",
    ]
    assert behind.behind(LOCK, LOCK, set()) == []


def test_what_is_held_back_is_told_with_its_reason() -> None:
    assert behind.held_back(PROJECT) == [("duckdb", "2.1 writes other bytes")]
    assert behind.direct(PROJECT) == {"duckdb", "numpy", "scikit-learn"}


def test_every_package_of_the_lock_file_is_read() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert len(behind.pins(lock)) == sum(
        "==" in line and not line.startswith(" ") for line in lock.splitlines()
    )
    assert "duckdb" in behind.direct((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_script_for_odd_machines_is_sound() -> None:
    subprocess.run(["bash", "-n", ROOT / "scripts" / "odd_machines.sh"], check=True)
