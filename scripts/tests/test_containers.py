# SPDX-License-Identifier: Apache-2.0
"""Dockerfiles and Compose files: what checks them is checked, and the roots
that they describe are made and tried where that is allowed."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from conftest import SCRIPTS
from demolib import programs
from serviceslib import dockerfile
from serviceslib.dockerfile import DockerfileError

ROOT = SCRIPTS.parent
OURS = sorted(ROOT.glob("apps/*/deploy/Dockerfile"))

EXAMPLE = """\
# a comment
ARG BASE=debian:1
FROM ${BASE} AS build
# between
ARG GPU=
RUN one \\
    # inside
    && two

FROM build AS last
COPY --from=build /a /b
HEALTHCHECK --interval=1s CMD ["curl", "x"]
CMD ["program", "arg"]
"""


def test_stages_and_their_steps():
    stages = dockerfile.parse(EXAMPLE)
    assert [(s.name, s.base) for s in stages.values()] == [
        ("build", "debian:1"), ("last", "build")]
    assert stages["build"].steps[0] == ("ARG", "GPU=")
    assert dockerfile.assignments("GPU=") == {"GPU": ""}
    step, text = stages["build"].steps[1]
    assert (step, text.split()) == ("RUN", ["one", "&&", "two"])
    last = stages["last"]
    assert dockerfile.command(last.last("HEALTHCHECK")) == ["curl", "x"]
    assert dockerfile.command(last.last("CMD")) == ["program", "arg"]
    assert dockerfile.command("do it") == ["sh", "-c", "do it"]


def test_a_build_argument_changes_the_base():
    stages = dockerfile.parse(EXAMPLE, {"BASE": "debian@sha256:0"})
    assert stages["build"].base == "debian@sha256:0"


@pytest.mark.parametrize("text", ["RUN x", "FROM a b c", "FROM a\nFLY b"])
def test_error_what_is_not_understood_is_named(text):
    with pytest.raises(DockerfileError, match="line"):
        dockerfile.parse(text)


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.parts[-3])
def test_packages_come_by_the_line_of_setup(path):
    """So that a container differs from a bare machine in its walls only."""
    stages = dockerfile.parse(path.read_text("utf-8"))
    for stage in stages.values():
        for step, text in stage.steps:
            assert step != "RUN" or "apt-get" not in text
    run = [t for s, t in stages["run"].steps if s == "RUN"]
    build = [t for s, t in stages["build"].steps if s == "RUN"]
    assert run[0].startswith("/opt/setup/scripts/setup packages run ")
    assert build[0] == "scripts/setup packages build"


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.parts[-3])
def test_last_stage_is_unprivileged_and_has_a_health_check(path):
    stages = dockerfile.parse(path.read_text("utf-8"))
    last = list(stages.values())[-1]
    assert last.base == "run"
    assert int(last.last("USER")) > 0
    assert "curl" in last.last("HEALTHCHECK")
    assert last.last("CMD")


@pytest.mark.parametrize("path, target", [
    ("apps/sts-service/deploy/Dockerfile", "sts-service"),
    ("apps/media-service/deploy/Dockerfile", "media-service"),
    ("apps/media-service/deploy/Dockerfile", "mediamtx"),
])
def test_root_of_a_container_runs_its_program(path, target):
    """With DUB_TEST_CHROOT=1, as root, where debootstrap is; minutes."""
    done = subprocess.run([SCRIPTS / "try-container", ROOT / path, target],
                          capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


# --- what the programs need is what `setup packages run` brings ---

def of_dpkg(*args):
    done = subprocess.run(["dpkg-query", *args], capture_output=True,
                          text=True, check=False)
    return done.stdout


def packages_to_run():
    """The part `run` with all that it depends on."""
    depends = dict(
        line.split("\t", 1)
        for line in of_dpkg("-W", "-f", "${Package}\t${Depends}, "
                            "${Pre-Depends}\n").splitlines())
    text = (SCRIPTS / "packages.txt").read_text("utf-8")
    part = text.partition("# run\n")[2].partition("# build\n")[0]
    todo = [line.split()[0] for line in part.splitlines()]
    found = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += re.findall(r"(?:^|[,|])\s*([a-z0-9.+-]+)",
                               depends.get(name, ""))
    return found


def needed_libraries(program):
    done = subprocess.run(["readelf", "-d", program], capture_output=True,
                          text=True, check=True)
    return re.findall(r"NEEDED.*\[(.*)\]", done.stdout)


@pytest.mark.parametrize("name", ["media-service", "media-worker",
                                  "sts-service"])
def test_every_library_of_a_program_is_there_at_run_time(name):
    """A new -dev package below "# build" needs its library below "# run"."""
    if shutil.which("dpkg-query") is None:
        pytest.skip("no dpkg here")
    try:
        program = programs.find(name)
    except programs.DemoError as error:
        pytest.skip(str(error))
    libraries = needed_libraries(program)
    owners = {}
    for line in of_dpkg("-S", *(f"*/{n}" for n in libraries)).splitlines():
        package, _, path = line.partition(": ")
        owners.setdefault(path.rpartition("/")[2], set()).add(
            package.partition(":")[0])
    have = packages_to_run()
    # Ours, from build/engines, belong to none.
    missing = {n: o for n, o in owners.items() if not o & have}
    assert "libc.so.6" in owners and missing == {}


# --- Compose files ---

SCHEMA = {"type": "object", "properties": {"services": {"type": "object"}},
          "additionalProperties": False}


@pytest.fixture(name="check")
def _check(tmp_path):
    """check(text) of a file beside a Dockerfile; (status, errors)."""
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    (tmp_path / "Dockerfile").write_text("FROM a AS b\n")

    def check(text):
        file = tmp_path / "compose.yml"
        file.write_text(text)
        done = subprocess.run(
            [python_with_yaml(), SCRIPTS / "check-compose", schema, file],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    return check


def python_with_yaml():
    """The machine's own has Debian's packages; a .venv has not."""
    for path in (shutil.which("python3"), "/usr/bin/python3", sys.executable):
        done = subprocess.run([path, "-c", "import jsonschema, yaml"],
                              capture_output=True, check=False)
        if done.returncode == 0:
            return path
    pytest.skip("no python3 has jsonschema and yaml")


def test_a_good_compose_file_passes(check):
    assert check("services: {a: {build: {context: ., dockerfile: Dockerfile,"
                 " target: b}}}") == (0, "")


@pytest.mark.parametrize("text, said", [
    ("svc: {}", "svc"),
    ("services: []", "not of type 'object'"),
    ("services: {a: {build: {context: ., dockerfile: Docker}}}",
     "no Docker"),
    ("services: {a: {build: {context: ., dockerfile: Dockerfile, "
     "target: c}}}", "has no c"),
])
def test_error_of_a_compose_file_is_named(check, text, said):
    status, errors = check(text)
    assert status == 1 and said in errors
