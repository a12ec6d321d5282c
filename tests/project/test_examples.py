"""Every example keeps to the form: its README, its header, its generated code and its page tell the truth."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from examples.form import pages
from examples.form.headers import EXAMPLES, HeaderError, header, headers, names
from examples.form.report import Report, approximately
from examples.form.running import run
from examples.form.schemas import compile_examples
from examples.form.testing import output, steady
from tests.project.sources import ROOT

SECTIONS = ["The problem", "The lines that matter", "What is proved", "What it does not do", "Next"]
MATTER = 30
"""Lines of code that a README may show in one piece."""
NAMES = names()
SOURCES = ("*.py", "*.html", "*.mjs", "*.js", "*.ts", "*.sql")


def readme(name: str) -> str:
    return (EXAMPLES / name / "README.md").read_text("utf-8")


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks of a text that are in one of these languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [code for language, code in found if language in languages]


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def sources(name: str) -> list[str]:
    """What the files of an example hold, each flush left, so that parts of them are found however deep they stand."""
    found = [path for pattern in SOURCES for path in (EXAMPLES / name).rglob(pattern) if "generated" not in path.parts]
    return [path.read_text("utf-8") for path in found]


def flush(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip("\n").split("\n"))


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_has_the_sections_of_the_form(name: str) -> None:
    text = readme(name)
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == SECTIONS
    assert f"python -m {header(name).module}" in text.split("\n## ", 1)[0], "the command stands at the top"


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_that_matter_are_those_of_the_files(name: str) -> None:
    shown = blocks(section(readme(name), "The lines that matter"), "python", "js", "ts", "html")
    assert shown
    there = [flush(text) for text in sources(name)]
    for code in shown:
        assert dedent(code).strip("\n").count("\n") < MATTER, code
        assert any(flush(code) in text for text in there), code


@pytest.mark.parametrize("name", NAMES)
def test_what_a_readme_calls_proved_is_printed(name: str) -> None:
    (proved, *more) = blocks(section(readme(name), "What is proved"), "text")
    printed = steady(output(name))
    for line in steady("".join([proved, *more])):
        assert line in printed


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_its_files_and_its_test_runs_it(name: str) -> None:
    folder = EXAMPLES / name
    tests = list(folder.glob("test_*.py"))
    assert [path for path in (folder / "__main__.py", folder / "README.md") if not path.is_file()] == []
    assert any(f'as_documented("{name}"' in path.read_text("utf-8") for path in tests)
    assert output(name).rstrip("\n").rsplit("\n", 1)[-1].startswith(f"{name.rsplit('/', 1)[-1]}: ok, ")


@pytest.mark.parametrize("name", NAMES)
def test_links_of_readmes_lead_to_files(name: str) -> None:
    page = pages.PAGES / pages.page_name(header(name))
    for path in (EXAMPLES / name / "README.md", page):
        prose = re.sub(r"^(`{3,}).*?^\1$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for link in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", prose):
            assert (path.parent / link).exists(), f"{path.relative_to(ROOT)}: {link}"


def test_generated_code_of_all_examples_is_up_to_date() -> None:
    assert compile_examples(headers(), check=True) == []


def test_the_index_and_the_pages_are_up_to_date() -> None:
    assert [str(path.relative_to(ROOT)) for path in pages.stale()] == [], f"run: {pages.UPDATE}"


def test_an_example_without_a_header_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("examples.form.headers.EXAMPLES", tmp_path)
    (tmp_path / "bare").mkdir()
    with pytest.raises(HeaderError, match="has no docstring"):
        header("bare")
    (tmp_path / "bare" / "__init__.py").write_text('"""Something.\n\nfeature: a\nproblem: b\n"""\n', "utf-8")
    with pytest.raises(HeaderError, match="names no pattern"):
        header("bare")


async def test_a_claim_that_does_not_hold_is_told_and_ends_an_example_with_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report()
    report.check("rows", 3, 3)
    report.check("rows", 3, 4)
    report.at_most("grown", 9.0, 8, "MiB")
    assert report.checked == 3
    assert report.broken == ["rows: 4, but it is 3", "grown: ~9 MiB, at most 8 MiB, but it is more"]
    assert "  NO  rows: 4, but it is 3" in capsys.readouterr().out


def test_a_run_with_a_broken_claim_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    async def example(report: Report) -> None:
        report.check("rows", 3, 4)

    with pytest.raises(SystemExit) as caught:
        run("wrong", example)
    assert caught.value.code == 1
    assert capsys.readouterr().out.endswith("wrong: 1 of 1 claims do not hold\n")


def test_figures_that_vary_are_marked_and_not_compared() -> None:
    assert steady(f"took {approximately(0.25, 'ms')} at {approximately(41_200.0)}") == ["took ~ ms at ~"]
    assert steady("rows: 1,000") == ["rows: 1,000"]


def test_all_examples_are_run_with_a_line_for_each_and_a_table() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples", "calculator"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, *table = done.stdout.splitlines()
    assert re.fullmatch(r"ok     calculator \(\d+\.\d s\)", first)
    assert any(line.split()[:1] == ["calculator"] and "ok, 10 claims checked" in line for line in table)
