"""Where an owner's CPU goes: python -m tests.bench.account FILE serve …

Runs `livereview` with these arguments and a thread that looks fifty times a second at every thread
of the process: the CPU that each has taken since the last look is put down to the Python functions
that it is in now. Threads that Python doesn't know are DuckDB's own. When the process ends FILE
holds the account as JSON: seconds of CPU by stack, functions joined by a semicolon, the thread's
name first. `table` makes kinds of work of it.

    python -m tests.bench.load --goals --account
"""

from __future__ import annotations

import atexit
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

LOOKS_A_SECOND = 50
TASKS = Path("/proc/self/task")
OURS = re.compile(r"(?:^|/)livereview/(.+)\.py$")
NATIVE = "threads of DuckDB"

# the first pattern that is in a stack names its kind of work
KINDS = (
    ("publishing a version", r"^publisher"),
    ("ranking a queue", r"^ranker"),
    ("taking in the night's pages", r"surveil:|taking_in:|parsing/|collecting:"),
    ("a decision: writing", r"writer;.*ops/screen:"),
    ("sessions and leases: writing", r"writer;.*(?:accounts|principals|sign_in|leases)"),
    ("other writing", r"^(?:quick )?writer"),
    ("who asks, and may they", r"web/guard:"),
    ("a decision: the request", r"web/screen:decide"),
    ("a next record", r"web/screen:page"),
    ("a public page", r"web/public:"),
    ("signing in", r"web/sign_in:"),
    ("commands of programs", r"web/api:|ops/door:"),
    ("the event loop and its HTTP", r"^MainThread"),
    ("the account itself", r"^account"),
    (NATIVE, rf"^{NATIVE}"),
)


class Account(threading.Thread):
    """Looks at all threads until the process ends."""

    def __init__(self) -> None:
        super().__init__(name="account", daemon=True)
        self.seconds: Counter[str] = Counter()
        self._before: dict[int, int] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(1 / LOOKS_A_SECOND):
            self._look()

    def end(self) -> None:
        self._ended.set()

    def _look(self) -> None:
        frames = sys._current_frames()
        threads = {thread.native_id: thread for thread in threading.enumerate()}
        for task, taken in _taken():
            since = taken - self._before.get(task, taken)
            self._before[task] = taken
            if not since:
                continue
            thread = threads.get(task)
            if thread is None or thread.ident is None:
                self.seconds[NATIVE] += since / 1e9
                continue
            stack = ";".join([thread.name, *_functions(frames.get(thread.ident))])
            self.seconds[stack] += since / 1e9


def _taken() -> Iterator[tuple[int, int]]:
    """Each thread of this process with the nanoseconds of CPU that it has had."""
    for place in TASKS.iterdir():
        try:
            text = (place / "schedstat").read_text()
        except OSError:  # it has just ended
            continue
        yield int(place.name), int(text.split()[0])


def _functions(frame: FrameType | None) -> list[str]:
    """The functions of a stack that are this project's, outermost first, and the innermost."""
    names: list[str] = []
    innermost = frame
    while frame is not None:
        ours = OURS.search(frame.f_code.co_filename)
        if ours:
            names.append(f"{ours[1]}:{frame.f_code.co_name}")
        elif frame is innermost:
            file = Path(frame.f_code.co_filename).stem
            names.append(f"({file}:{frame.f_code.co_name})")
        frame = frame.f_back
    return names[::-1]


def kind_of(stack: str) -> str:
    """The kind of work that a stack is at."""
    for kind, pattern in KINDS:
        if re.search(pattern, stack):
            return kind
    return "other"


def table(seconds: Mapping[str, float]) -> str:
    """Seconds of CPU by kind of work, the dearest first, as text."""
    kinds: Counter[str] = Counter()
    for stack, taken in seconds.items():
        kinds[kind_of(stack)] += taken
    whole = sum(kinds.values()) or 1.0
    lines = [
        f"{kind:32}{taken:>9.1f} s{taken / whole:>7.0%}" for kind, taken in kinds.most_common()
    ]
    return "\n".join([*lines, f"{'all':32}{whole:>9.1f} s"])


def main() -> None:
    """Run the command line with an account of it."""
    from livereview.cli import app

    path = Path(sys.argv[1])
    sys.argv = ["livereview", *sys.argv[2:]]
    account = Account()

    def keep() -> None:
        account.end()
        path.write_text(json.dumps(dict(account.seconds.most_common())), encoding="utf-8")

    atexit.register(keep)
    account.start()
    app()


if __name__ == "__main__":
    main()
