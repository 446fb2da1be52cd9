"""The recipes for contributors run as they stand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (Add [^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize(
    "title",
    [
        "Add a family",
        "Add a solver",
        "Add a gain model",
    ],
)
def test_recipe_runs(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", RECIPES[title], re.M | re.S)
    monkeypatch.chdir(ROOT)
    namespace = {"__name__": __name__}  # a dataclass looks up the module that it stands in
    exec(compile(code, f"CONTRIBUTING.md, {title}", "exec", dont_inherit=True), namespace)  # noqa: S102 (our own text)


def test_every_make_target_is_there() -> None:
    named = set(re.findall(r"^make ([a-z-]+)", TEXT, re.M))
    assert len(named) >= 4
    assert named <= TARGETS


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:cavitydesign|layouts|tests)/[\w./-]*)`", TEXT)) | {
        "CHANGELOG.md",
        "pyproject.toml",
    }
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
