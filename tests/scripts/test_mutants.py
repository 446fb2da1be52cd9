"""The mutation run on a package of three lines: what tests see is caught, what they do not see is named."""

import subprocess
from pathlib import Path

import pytest

from scripts import mutants

SOURCE = "def half(number):\n    return number / 2\n\n\ndef unseen(number):\n    return number + 1\n"
TEST = "from cavitydesign.gain.tiny import half\n\n\ndef test_half():\n    assert half(6) == 3\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    files = {
        "cavitydesign/__init__.py": "",
        "cavitydesign/gain/__init__.py": "",
        "cavitydesign/gain/tiny.py": SOURCE,
        "tests/gain/test_tiny.py": TEST,
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\nmarkers = ["slow"]\n',
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def test_a_sample_depends_on_its_seed_alone(checkout: Path) -> None:
    def drawn(seed: int) -> list[str]:
        found = mutants.sample(3, seed=seed, rooms=["cavitydesign/gain"], root=checkout)
        return [mutant.change for mutant in found]

    assert drawn(1) == drawn(1)
    assert len(set(drawn(1))) == 3
    assert any(drawn(seed) != drawn(1) for seed in range(2, 6))


def test_survivors_are_those_that_no_test_sees(checkout: Path) -> None:
    every = mutants.sample(99, seed=1, rooms=["cavitydesign/gain"], root=checkout)
    alive = mutants.run(every, ["tests/gain"], jobs=1, root=checkout)
    assert 0 < len(alive) < len(every)
    assert all("number + 1" in mutant.change for mutant in alive)
    assert (checkout / "cavitydesign/gain/tiny.py").read_text() == SOURCE


def test_a_suite_that_fails_by_itself_says_nothing(checkout: Path) -> None:
    (checkout / "tests/gain/test_tiny.py").write_text("def test_broken():\n    assert False\n")
    with pytest.raises(SystemExit, match="before anything is broken"):
        mutants.run([], ["tests/gain"], jobs=1, root=checkout)


def test_what_no_test_can_notice_is_left_out(tmp_path: Path) -> None:
    """A guard of lengths, and None for NaN or False in an array; everything else about these lines is broken."""
    lines = [
        "rows = list(zip(a, b, strict=True))",
        "a[b] = np.nan",
        "a[b] = (\n        math.nan\n    )",
        "c = np.nan",
        "a[0] = 1.0",
    ]
    file = tmp_path / "one.py"
    file.write_text("def f(a, b):\n    " + "\n    ".join(lines) + "\n    return zip(rows, c)\n")
    made = [
        place.broken(way, root=tmp_path).text
        for place in mutants.places(file)
        for way in range(len(place.new))
    ]
    assert not [
        text for text in made if "strict=False" in text or "strict=None" in text or "zip(a, b, )" in text
    ]
    assert not [text for text in made if "a[b] = None" in text]
    for change in (
        "zip(None, b, strict=True)",
        "zip(a, strict=True)",
        "c = None",
        "a[0] = None",
        "zip(rows, )",
    ):
        assert any(change in text for text in made), change
