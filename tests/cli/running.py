"""What the command line's tests share: a design that solves in milliseconds, and a way to run commands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cavitydesign.cli import app

LAYOUTS = Path(__file__).parents[2] / "layouts"

CAVITY = """
name = "two plates"
family = "stack"
window_nm = [600.0, 700.0]

[[layers]]
material = { n = 1.0 }

[[layers]]
material = { n = 3.0 }
thickness_nm = 54.0

[[layers]]
material = { n = 1.5 }
thickness_nm = { value = 433.0, source = "assumed", plus_minus = 10.0 }
gain = true

[[layers]]
material = { n = 3.0 }
thickness_nm = 54.0

[[layers]]
material = { n = 1.0 }
"""


PROGRESS = re.compile(r".+:( [\d.e+]+ of [\d.e+]+)? after \d+ s(, about \d+ s left)?")
"""A line of progress, which a loaded machine may come to print in any command."""


@dataclass(frozen=True)
class Ran:
    """One command: its exit code, stdout and stderr."""

    code: int
    out: str
    stderr: str

    @property
    def err(self) -> str:
        """stderr without progress."""
        return "".join(f"{line}\n" for line in complaints(self.stderr))

    @property
    def json(self):
        """stdout as one JSON document; NaN and Infinity are refused."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))

    def lines(self) -> list[str]:
        """stderr, a line for each complaint and no traceback."""
        assert "Traceback" not in self.err
        assert "defect" not in self.err
        return self.err.strip().splitlines()

    def one_line(self) -> str:
        """stderr, which must be one line and no traceback."""
        (line,) = complaints(self.stderr)
        assert "Traceback" not in line
        assert "defect" not in line
        return line


def command(*arguments: object) -> Ran:
    """Run ``cavitydesign`` in this process."""
    found = CliRunner().invoke(app, [str(item) for item in arguments], prog_name="cavitydesign")
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return Ran(found.exit_code, found.stdout, found.stderr)


def complaints(stderr: str) -> list[str]:
    """The lines of stderr that are not progress."""
    return [line for line in stderr.strip().splitlines() if not PROGRESS.fullmatch(line)]
