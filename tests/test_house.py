"""What holds of the house as a whole: sizes, side effects of importing it, and its public names."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cavitydesign

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "cavitydesign").rglob("*.py"))
LONGEST_FUNCTION, LONGEST_MODULE = 60, 400
TESTS_BESIDE_PACKAGE = 0.7


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {length} lines"


def test_no_function_is_longer_than_a_screen() -> None:
    assert [complaint for path in PACKAGE for complaint in long_functions(path)] == []


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    assert {
        str(path.relative_to(ROOT)): lines(path) for path in PACKAGE if lines(path) > LONGEST_MODULE
    } == {}


def test_tests_keep_up_with_the_package() -> None:
    tests = sum(map(lines, (ROOT / "tests").rglob("*.py")))
    assert tests >= TESTS_BESIDE_PACKAGE * sum(map(lines, PACKAGE))


def test_importing_it_does_nothing(tmp_path: Path) -> None:
    """Nothing printed, nothing written, no environment, directory, warning filter or heavy library changed."""
    program = """
import os, sys, threading, warnings
def state():
    return dict(os.environ), os.getcwd(), list(warnings.filters), threading.active_count(), sorted(os.listdir())
before = state()
import cavitydesign
assert state() == before, "state"
heavy = {"numpy", "scipy", "pydantic", "matplotlib", "gdstk", "xarray", "typer"} & set(sys.modules)
assert not heavy, heavy
"""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("name", cavitydesign.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(cavitydesign, name)
    if name != "__version__":
        assert (found.__doc__ or "").strip(), name
        assert not found.__doc__.startswith(f"{name}("), f"{name}: only the signature that dataclass made"
    assert name in dir(cavitydesign)


def test_the_types_are_offered_to_users() -> None:
    assert (ROOT / "cavitydesign" / "py.typed").is_file()
