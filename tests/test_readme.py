"""What the README shows is what works: its Python runs, its commands exist and take these options and files."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.M | re.S)
LINES = [
    line.split("  #")[0].strip()
    for language, block in BLOCKS
    if language in ("", "sh", "bash")
    for line in block.splitlines()
    if line.strip()
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def help_of(*command: str) -> str:
    ended = subprocess.run(
        [sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "200", "PATH": "", "NO_COLOR": "1", "TERM": "dumb"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "python"])
def test_python_runs(block: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 (our own text)
    assert "print" not in block or capsys.readouterr().out.strip()


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_is_one_that_works(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "make":
        assert set(words[1:]) <= TARGETS
        return
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    if words[0] == "cavitydesign":
        said = help_of("-m", "cavitydesign", words[1])
    else:
        assert words[0] == "python"
        said = help_of(words[1])
    assert sorted(option for option in options if option not in said) == []
    files = [word for word in words if word.startswith(("layouts/", "scripts/", "notebooks/", "docs/"))]
    assert sorted(name for name in files if not (ROOT / name).is_file()) == []


def test_every_target_and_file_that_the_prose_names_is_there() -> None:
    prose = re.sub(r"^```.*?^```", "", TEXT, flags=re.M | re.S)
    quoted = re.findall(r"`([^`]+)`", prose)
    targets = {word.removeprefix("make ") for word in quoted if re.fullmatch(r"make [a-z-]+", word)}
    files = {
        word
        for word in quoted
        if re.fullmatch(r"(?:cavitydesign|docs|layouts|notebooks|scripts|tests)/[\w./-]+", word)
    }
    files |= {word for word in quoted if re.fullmatch(r"[A-Za-z]+\.(?:md|txt|toml|cff)", word)}
    assert targets <= TARGETS
    assert sorted(name for name in files if not (ROOT / name).exists()) == []


def test_there_is_something_to_test() -> None:
    assert len(LINES) >= 8
    assert any(language == "python" for language, _ in BLOCKS)
