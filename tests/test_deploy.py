"""What `deploy/` holds can be read by what it is for, and lets in no more than it must."""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from livereview.cli.commands import PLACES

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes" / "base"
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# The image


def hashes(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Of each package of a lock file its version and its hashes."""
    pinned: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", read(lock)):
        if match := PINNED.match(entry):
            found = frozenset(re.findall(r"sha256:[0-9a-f]{64}", entry))
            pinned[f"{match[1]}=={match[2]}"] = (match[2], found)
    return pinned


def test_the_image_has_what_the_service_needs_of_the_lock_and_no_tool_of_developers() -> None:
    everything, run = hashes(ROOT / "requirements.lock"), hashes(ROOT / "requirements-run.lock")
    assert run.items() <= everything.items()
    names = {entry.partition("==")[0] for entry in run}
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = {re.split(r"[<>=\[]", each)[0] for each in project["dependencies"]}
    assert wanted <= names, "make requirements-run.lock again: CONTRIBUTING.md, Dependencies"
    developers = {re.split(r"[<>=\[]", each)[0] for each in project["optional-dependencies"]["dev"]}
    of_prefect = {"httpx", "jsonschema"}
    assert not names & (developers - of_prefect)


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, with lines that go on put together."""
    text = re.sub(r"^#.*\n", "", read(DEPLOY / "Dockerfile"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line.strip()]


def test_the_image_is_built_in_two_stages_and_runs_as_nobody() -> None:
    found = instructions()
    stages = [rest for word, rest in found if word == "FROM"]
    assert stages == ["${BASE} AS build", "${BASE}"]
    last = found[[word for word, _ in found].index("FROM", 2) :]
    assert ("USER", "10001:10001") in last
    assert {"HEALTHCHECK", "ENTRYPOINT", "LABEL", "VOLUME"} <= {word for word, _ in last}
    assert not [rest for word, rest in last if word == "COPY" and "--from=build" not in rest]
    installs = [rest for word, rest in found if word == "RUN" and "-r " in rest]
    assert installs and all("--require-hashes" in rest for rest in installs)
    assert any("cyclonedx-py" in rest for word, rest in found if word == "RUN")


def kept_out(name: str) -> bool:
    """Whether .dockerignore keeps a file out of the build: the last pattern that fits decides."""
    out = False
    for line in read(ROOT / ".dockerignore").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parts = name.split("/")
        whole = ["/".join(parts[: length + 1]) for length in range(len(parts))]
        anywhere = pattern.removeprefix("**/")
        fits = any(fnmatch.fnmatchcase(each, pattern) for each in whole)
        if pattern.startswith("**/"):
            fits = fits or any(fnmatch.fnmatchcase(part, anywhere) for part in parts)
        if fits:
            out = not line.startswith("!")
    return out


def test_no_data_no_secret_and_no_history_goes_into_a_build() -> None:
    secret = (
        "livereview.env", ".git/config", ".venv/bin/python", "livereview-data/owner.token",
        "owner.token",
        "livereview-data/livereview.duckdb", "livereview/x.duckdb.wal", "tests/data/review.toml",
        "demo/site/index.html",
        "livereview/__pycache__/x.pyc",
    )  # fmt: skip
    assert not [name for name in secret if not kept_out(name)]
    needed = (
        "pyproject.toml",
        "livereview/cli/serve.py",
        "db/views.sql",
        "examples/a/review.toml",
        "deploy/build.lock",
    )
    assert not [name for name in needed if kept_out(name)]
    copied = [
        rest.split()[:-1]
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
    ]
    for name in (name for names in copied for name in names if name != "."):
        assert (ROOT / name).exists() and not kept_out(name), name


# Containers


def container_command(words: list[str]) -> None:
    assert words[0] in PLACES, words


@pytest.mark.parametrize("name", ["compose.yaml", "compose.workers.yaml"])
def test_every_container_of_compose_is_closed_and_knows_what_it_waits_for(name: str) -> None:
    compose = yaml.safe_load(read(DEPLOY / name))
    services = compose["services"]
    for name, service in services.items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        mounted = [volume.split(":")[0] for volume in service.get("volumes", ())]
        volumes = {volume for volume in mounted if not volume.startswith(".")}
        assert volumes <= compose.get("volumes", {}).keys(), name
        for other, terms in service.get("depends_on", {}).items():
            assert terms["condition"] == "service_healthy", name
            assert "test" in services[other]["healthcheck"], f"{name} waits for {other} for ever"
        if service["image"] == "livereview":
            assert service["user"] == "10001:10001" and "mem_limit" in service, name
            assert "no-new-privileges:true" in service["security_opt"], name
        if service.get("command"):
            container_command(service["command"])
        ports = service.get("ports", ["127.0.0.1:8000:8000"])
        assert ports == ["127.0.0.1:8000:8000"], "the proxy alone reaches the owner"


def resources() -> Iterator[dict[str, Any]]:
    for path in sorted(KUBERNETES.parent.rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(read(path))


@pytest.mark.parametrize(
    "folder", [KUBERNETES, KUBERNETES.parent / "workers"], ids=lambda path: path.name
)
def test_every_manifest_is_named_in_the_kustomization(folder: Path) -> None:
    named = yaml.safe_load(read(folder / "kustomization.yaml"))["resources"]
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(named) == there


def test_only_one_pod_owns_the_database() -> None:
    (owner,) = [each for each in resources() if each["kind"] == "StatefulSet"]
    assert owner["spec"]["replicas"] == 1


def test_no_pod_has_more_rights_than_it_needs() -> None:
    kinds = ("StatefulSet", "Deployment")
    pods = [each["spec"]["template"]["spec"] for each in resources() if each["kind"] in kinds]
    assert len(pods) == 2
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        places = {"data", *(volume["name"] for volume in pod["volumes"])}
        for container in pod["containers"]:
            is_closed(container, places)


def is_closed(container: dict[str, Any], places: set[str]) -> None:
    closed = container["securityContext"]
    assert closed["readOnlyRootFilesystem"] is True
    assert closed["allowPrivilegeEscalation"] is False
    assert closed["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container["resources"]["limits"]
    assert {mount["name"] for mount in container["volumeMounts"]} <= places
    if "args" in container:
        container_command(container["args"])
        assert "--new" not in container["args"], "a lost volume would pass for a new database"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize(
    "folder", [KUBERNETES, KUBERNETES.parent / "first-time"], ids=lambda path: path.name
)
def test_kustomize_builds_them_with_a_selector_for_our_pods_only(folder: Path) -> None:
    ran = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    built = {each["kind"]: each for each in yaml.safe_load_all(ran.stdout)}
    label = {"app.kubernetes.io/name": "livereview"}
    assert built["Service"]["spec"]["selector"] == label
    assert built["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == label
    pod = built["StatefulSet"]["spec"]["template"]
    assert pod["metadata"]["labels"] == label
    begins = ["serve", "--new"] if folder.name == "first-time" else ["serve", "--host"]
    assert pod["spec"]["containers"][0]["args"][:2] == begins


# Units and proxy


@pytest.mark.parametrize(
    "unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name
)
def test_every_unit_starts_a_command_that_there_is(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", read(unit), re.MULTILINE)
    program, *words = shlex.split(line)
    if program.endswith("/livereview"):
        container_command(words)
    else:
        assert program in ("/bin/sh", "/opt/livereview/.venv/bin/prefect")


def test_the_proxy_shows_nobody_the_figures() -> None:
    assert "respond /metrics 404" in read(DEPLOY / "Caddyfile")
