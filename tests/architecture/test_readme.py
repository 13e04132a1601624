"""The README cannot rot: what it says to type exists, and the snippets marked `executed` are executed.

A block that opens with ```` ```sh executed ```` runs line by line in the root of the repository; each `$ command`
must end well and print the lines that follow it (`...` stands for anything). What starts servers or takes minutes
(`make run`, `make demo`, `make test`) is checked here to be a target of the Makefile, and runs elsewhere.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

EXECUTED = re.compile(r"^```(?:sh|console) executed\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
PROGRAM = "import sys; sys.argv[0] = 'nocturne'; from api.cli import main; sys.exit(main())"


def commands() -> list[tuple[str, list[str]]]:
    """Return (command, expected lines) of each executed snippet, in order."""
    found: list[tuple[str, list[str]]] = []
    for block in EXECUTED.findall(README):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line:
                found[-1][1].append(line)
    return found


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def says(line: str) -> re.Pattern[str]:
    """Return the pattern of an expected line, in which `...` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in line.strip().split("...")))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A shell's environment in which `nocturne` is the program of this working tree."""
    program = tmp_path / "nocturne"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    # `make check` runs these tests: a make inside a make would announce its folders among the lines
    outer = {name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}}
    return {**outer, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"}


def run(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("command", "expected"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_an_executed_snippet_ends_well_and_prints_what_it_says(
    command: str, expected: list[str], environment: dict[str, str]
) -> None:
    done = run(command, environment)

    printed = [line.strip() for line in done.stdout.splitlines()]
    missing = [line for line in expected if not any(says(line).fullmatch(shown) for shown in printed)]
    assert done.returncode == 0, done.stderr
    assert missing == []


def test_the_readme_has_snippets_that_are_executed() -> None:
    assert {"make help", "nocturne --help"} <= {command for command, _ in commands()}


def test_every_make_command_of_the_readme_is_a_target() -> None:
    said = set(re.findall(r"make ([a-z-]+)", README))

    assert {"run", "demo", "test", "check", "setup"} <= said
    assert said <= targets()


def test_every_target_is_in_the_list_that_make_help_prints(environment: dict[str, str]) -> None:
    listed = {line.split()[0] for line in run("make help", environment).stdout.splitlines()}
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert phony is not None
    assert listed == set(phony.group(1).split())


@pytest.mark.parametrize("words", sorted(set(re.findall(r"nocturne ((?:[a-z]+-?)+)(?= |`|\n|$)", README))))
def test_every_nocturne_command_of_the_readme_exists(words: str) -> None:
    done = CliRunner().invoke(app, [words, "--help"])

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
    ],
)
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    links = LINK.findall((ROOT / page).read_text(encoding="utf-8"))

    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []
