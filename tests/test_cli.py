"""The command line as people and schedulers meet it: every command in a process of its own."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command_name

from livereview.cli import app
from livereview.cli.commands import MODULES, PLACES
from livereview.store.open import Store

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
YOUTH = SHARED / "data" / "youth_homelessness"
COMMANDS = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
RIS = "TY  - JOUR\nTI  - {}\nAU  - Doe, Jane\nPY  - 2020\nDO  - 10.1000/{}\nER  - \n"


def livereview(
    *words: object, home: Path | None = None, code: int = 0, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"} | (
        {"LIVEREVIEW_HOME": str(home)} if home else {}
    )
    command = [sys.executable, "-m", "livereview", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def protocol() -> Path:
    return ROOT / "tests" / "data" / "review.toml"


def commands() -> list[str]:
    return list(PLACES)


def test_every_command_is_found_in_its_module_and_no_module_has_one_more() -> None:
    for module in MODULES:
        import_module(f"livereview.cli.{module}")
    single = [(one.name, one.callback) for one in app.registered_commands if one.callback]
    found = {name or get_command_name(call.__name__): call.__module__ for name, call in single}
    assert [group.name for group in app.registered_groups] == ["rank"]
    found["rank"] = "livereview.cli.rank"
    assert found == {name: f"livereview.cli.{module}" for name, module in PLACES.items()}


HEAVY = (
    "requests", "duckdb", "numpy", "scipy", "sklearn", "prefect", "uvicorn", "fastapi", "sqlalchemy", "lxml",
    "feedparser", "pylatexenc", "openpyxl", "jinja2", "nh3", "babel", "resvg_py",
)  # fmt: skip
LOADED = """
import sys
from livereview.cli import app
try:
    app(sys.argv[2:])
except SystemExit as end:
    assert not end.code, end.code
loaded = sorted(set(sys.modules) & set(sys.argv[1].split()))
assert not loaded, loaded
"""


@pytest.mark.parametrize(
    "words", [["--help"], ["dedup", "--help"], ["dedup", "in.csv", "--out", "out.csv"]]
)
def test_what_a_command_does_not_need_is_not_imported(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("record_id,title\n1,A title\n2,A title\n", encoding="utf-8")
    # the help of all commands imports them all, and they import the models of what they ask for
    unwanted = [*HEAVY, *([] if words == ["--help"] else ["rich", "livereview.commands"])]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, " ".join(unwanted), *words],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_commands_are_listed_and_a_misspelt_one_is_guessed() -> None:
    said = livereview("--help").stdout
    assert re.findall(r"^  ([a-z-]+)  ", said.split("Commands:")[1], re.MULTILINE) == commands()
    assert "Keep a living systematic review alive" in said
    assert "Did you mean 'dedup'?" in livereview("dedpu", code=2).stderr


def test_the_reference_names_every_command_and_no_other() -> None:
    table = COMMANDS.split("##")[0]
    assert sorted(re.findall(r"^\| `([a-z-]+)", table, re.MULTILINE)) == sorted(commands())


def test_every_setting_that_is_read_is_described_and_no_other() -> None:
    from livereview import settings

    source = Path(settings.__file__).read_text(encoding="utf-8")
    read = re.findall(r'environment(?:\.get\(|, )"(LIVEREVIEW_[A-Z0-9_]+)"', source)
    named = {*settings.SECRETS, *read}
    assert sorted(named) == sorted(setting.name for setting in settings.DESCRIBED)


@pytest.mark.parametrize("command", commands())
def test_every_command_explains_itself(command: str) -> None:
    said = livereview(command, "--help").stdout
    assert "Usage" in said and len(said.splitlines()) > 4


def test_init_writes_a_protocol_that_can_be_used_and_never_overwrites(tmp_path: Path) -> None:
    livereview("init", tmp_path / "mine")
    text = (tmp_path / "mine" / "review.toml").read_text(encoding="utf-8")
    assert "# " in text
    assert "exists; choose another folder" in livereview("init", tmp_path / "mine", code=2).stderr
    home = tmp_path / "home"
    (tmp_path / "a.ris").write_text(RIS.format("One", 1))
    review = re.search(r'^id = "(.*)"', text, re.MULTILINE)
    assert review
    livereview(
        "import",
        "--review",
        review[1],
        "--protocol",
        tmp_path / "mine" / "review.toml",
        tmp_path / "a.ris",
        home=home,
    )


def test_a_broken_protocol_is_refused_with_file_line_and_choices(
    tmp_path: Path, protocol: Path
) -> None:
    text = protocol.read_text(encoding="utf-8").replace('source = "openalex"', 'source = "opnalex"')
    (tmp_path / "review.toml").write_text(text, encoding="utf-8")
    (tmp_path / "a.ris").write_text(RIS.format("One", 1))
    command = (
        "import",
        "--review",
        "small-review",
        "--protocol",
        tmp_path / "review.toml",
        tmp_path / "a.ris",
    )
    said = livereview(*command, home=tmp_path, code=2).stderr
    assert re.search(r'review.toml line \d+: searches\[1\].source: unknown source "opnalex"', said)
    assert "did you mean" in said


def test_the_life_of_a_record_by_hand(tmp_path: Path, protocol: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "a.ris.gz").write_bytes(
        gzip.compress((RIS.format("One", 1) + RIS.format("Two", 2)).encode())
    )
    (tmp_path / "b.ris").write_text(RIS.format("One", 1) + "\n")
    options = ("--review", "small-review", "--protocol", protocol)
    said = livereview(
        "import", *options, tmp_path / "a.ris.gz", tmp_path / "b.ris", home=home
    ).stdout
    assert "found 3   duplicates 1   queued 2" in said
    assert "known already" in livereview("import", *options, tmp_path / "b.ris", home=home).stdout
    sheet = tmp_path / "d.csv"
    votes = [
        f"10.1000/1,{s},{r},include" for s in ("title_abstract", "full_text") for r in ("ada", "bo")
    ]
    sheet.write_text(
        "record,stage,reviewer,verdict\n"
        + "\n".join(votes)
        + "\nNowhere,title_abstract,ada,include\n"
    )
    report = livereview("decide", "--review", "small-review", "--from", sheet, home=home, code=2)
    assert "4 written, 0 known already, 1 refused" in report.stdout
    assert "line 6: no record of review small-review is 'Nowhere'" in report.stderr
    form = {"study": "doe-2020", "label": "Doe 2020", "reports": ["10.1000/1"]}
    (tmp_path / "form.json").write_text(json.dumps(form))
    done = livereview(
        "extract", "--review", "small-review", "--by", "ada", tmp_path / "form.json", home=home
    ).stdout
    page = home / "site" / "small-review" / "latest" / "index.html"
    assert "doe-2020: 1 reports" in done and "nothing is public yet" in done and not page.exists()
    opened = livereview("open", "--review", "small-review", "--by", "lena", home=home).stdout
    assert "small-review: version 1" in opened
    assert "Doe 2020" in page.read_text(encoding="utf-8")
    assert "stands" in livereview("publish", "--review", "small-review", home=home).stdout
    told = json.loads(livereview("status", "--json", home=home).stdout)
    assert told[0]["flow"]["included"] == 1
    assert "Wrote one in " in livereview("backup", "--name", "one", home=home).stdout
    assert (
        "can be brought back"
        in livereview("restore", home / "backups", "--check", home=home).stdout
    )
    assert (
        "ada (reviewer, every review) signs in with: "
        in livereview("account", "ada", home=home).stdout
    )
    assert "records settled again" in livereview("rebuild", home=home).stdout


@pytest.mark.parametrize("folder", ["", "not-there"])
def test_a_home_without_a_database_is_told_and_none_is_made(tmp_path: Path, folder: str) -> None:
    home = tmp_path / folder
    said = livereview("status", home=home, code=2).stderr
    assert str(home / "livereview.duckdb") in said
    assert "livereview init my-review" in said and "livereview serve --new" in said
    assert not list(home.glob("livereview*")), "nothing was made"
    for words in (
        ("publish", "--review", "r"),
        ("account", "ada"),
        ("backup",),
        ("serve",),
        ("ledger", "--review", "r"),
    ):
        assert "no database at" in livereview(*words, home=home, code=2).stderr
    assert not list(home.glob("livereview*"))


def test_a_prefect_server_that_is_down_is_one_sentence_in_the_ledger_and_an_alarm(
    tmp_path: Path, protocol: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    command = ("surveil", "--review", "small-review", "--protocol", protocol)
    said = livereview(*command, home=tmp_path, code=1).stderr
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in said
    assert "Traceback" not in said and len(said.splitlines()) == 1
    (row,) = json.loads(
        livereview("ledger", "--json", "--review", "small-review", home=tmp_path).stdout
    )
    assert row["outcome"] == "failed" and "does not answer" in row["error"]
    assert "ALARM a night did not begin" in livereview("status", home=tmp_path, code=1).stdout


def test_a_protocol_is_put_in_force_without_a_search(tmp_path: Path, protocol: Path) -> None:
    assert "no database at" in livereview("register", protocol, home=tmp_path, code=2).stderr
    with Store(tmp_path / "livereview.duckdb", "500MB", 1):
        pass
    assert (
        "small-review: in force, 2 searches"
        in livereview("register", protocol, home=tmp_path).stdout
    )
    assert "never run" in livereview("status", home=tmp_path).stdout


def test_a_mistyped_time_is_refused_before_anything_starts(tmp_path: Path, protocol: Path) -> None:
    (tmp_path / "a.ris").write_text(RIS.format("One", 1))
    options = ("--review", "small-review", "--protocol", protocol)
    livereview("import", *options, tmp_path / "a.ris", home=tmp_path)
    said = livereview(
        "surveil", *options, "--now", "1926-03-01T02:00+00:00", home=tmp_path, code=2
    ).stderr
    assert "the time that was given (--now) says 1926-03-01 02:00 UTC" in said


def test_with_an_owner_elsewhere_no_database_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEREVIEW_OWNER", "http://owner.example")
    assert "https://host" in livereview("status", home=tmp_path, code=2).stderr
    monkeypatch.setenv("LIVEREVIEW_OWNER", "https://owner.example")
    assert "LIVEREVIEW_OWNER_TOKEN" in livereview("status", home=tmp_path, code=2).stderr
    assert (
        "LIVEREVIEW_OWNER names the owner"
        in livereview("serve", "--new", home=tmp_path, code=2).stderr
    )
    assert not list(tmp_path.iterdir())


def test_parse_prints_one_json_object_a_line_and_exits_3_for_another_kind_of_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.ris").write_text(RIS.format("Ünïcode", 1) + "TY  - JOUR\nER  - \n")
    lines = [
        json.loads(line)
        for line in livereview("parse", "ris", tmp_path / "a.ris").stdout.splitlines()
    ]
    assert [line["kind"] for line in lines] == ["record", "reject"]
    assert lines[0]["title"] == "Ünïcode" and lines[0]["doi"] == "10.1000/1" and lines[1]["reason"]
    (tmp_path / "b.ris").write_text("hello")
    done = livereview("parse", "ris", tmp_path / "b.ris", tmp_path / "a.ris", code=3)
    assert "b.ris: this is not a RIS file" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "choose one of" in livereview("parse", "nonsense", tmp_path / "a.ris", code=2).stderr


def test_parse_reads_a_table_by_the_columns_that_are_named(tmp_path: Path) -> None:
    table = tmp_path / "ours.csv"
    table.write_text("Work,Pub. Year\nA title,2020\n")
    refused = livereview("parse", "csv", table, code=3).stderr
    assert "its headings are Work, Pub. Year" in refused and "--columns title=Work" in refused
    named = ("--columns", "title=Work,year=Pub. Year")
    record = json.loads(livereview("parse", "csv", table, *named).stdout)
    assert (record["title"], record["year"]) == ("A title", 2020)
    assert "is for tables" in livereview("parse", "ris", table, *named, code=2).stderr


def test_an_archive_is_imported_by_its_files_and_what_is_no_export_is_shown(
    tmp_path: Path, protocol: Path
) -> None:
    archive = tmp_path / "rayyan.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("articles.csv", "key,title,year\nrayyan-1,A trial of care,2020\n")
        packed.writestr("customizations_log.csv", "article_id,user,kind\n1,ann,included\n")
    options = ("--review", "small-review", "--protocol", protocol)
    done = livereview("import", *options, archive, home=tmp_path)
    assert "customizations_log.csv: this is no table of records" in done.stderr
    assert "not read" in done.stdout and "queued 1" in done.stdout


def test_a_night_of_an_unknown_review_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with Store(tmp_path / "livereview.duckdb", "500MB", 1):
        pass
    said = livereview("surveil", "--review", "nonsense", home=tmp_path, code=2).stderr
    assert (
        "unknown review 'nonsense'; this database has: none yet. Give its review.toml with --protocol"
        in said
    )
    assert "prefect" not in said.lower()


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, protocol: Path) -> None:
    command = ("import", "--review", "small-review", "--protocol", protocol, tmp_path / "none.ris")
    said = livereview(*command, home=tmp_path, code=2).stderr
    assert "none.ris can't be read" in said and "Traceback" not in said


@pytest.mark.skipif(
    not YOUTH.is_dir(), reason="the review's own exports are not part of the project"
)
def test_all_nine_exports_go_in_and_every_included_report_waits_once(tmp_path: Path) -> None:
    exports = [path for path in sorted(YOUTH.iterdir()) if path.name.lower().endswith(".ris.gz")]
    options = (
        "--review",
        "youth-homelessness",
        "--protocol",
        ROOT / "examples" / "youth-homelessness" / "review.toml",
    )
    said = livereview("import", *options, *exports, home=tmp_path).stdout
    numbers = re.search(r"found ([\d,]+) +duplicates ([\d,]+) +queued ([\d,]+)", said)
    assert numbers
    found, duplicates, queued = (int(number.replace(",", "")) for number in numbers.groups())
    assert (len(exports), found) == (9, 3872)
    assert found == duplicates + queued
    assert included_places(tmp_path) >= 10


def included_places(home: Path) -> int:
    """How many included reports these databases returned; each must be one report, in the queue."""
    from livereview import settings
    from livereview.dedup.text import words
    from livereview.store.open import Store

    example = ROOT / "examples" / "youth-homelessness"
    forms = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (example / "extractions").glob("*.json")
    ]
    named = {reference for form in forms for reference in form["reports"]}
    works = json.loads((example / "catalogue.json").read_text(encoding="utf-8"))["works"]
    included = {
        words(w["title"])
        for w in works
        if named & {w.get("doi"), f"pmid:{w.get('pmid')}", w["title"]}
    }
    assert len(included) == 19
    with Store(settings.read({}, home).database) as store, store.read() as con:
        rows = con.execute("SELECT r.title, q.report_id FROM current_record r JOIN report p USING (record_id) "
                           "JOIN queue q USING (report_id)").fetchall()  # fmt: skip
    places: dict[str, set[str]] = {}
    for title, report in rows:
        if words(title or "") in included:
            places.setdefault(words(title), set()).add(report)
    assert all(len(reports) == 1 for reports in places.values()), places
    return len(places)
