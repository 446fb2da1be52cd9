"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import CAVITY


@pytest.fixture
def cavity(tmp_path) -> Path:
    """A small open resonator of three films as a design file."""
    path = tmp_path / "cavity.toml"
    path.write_text(CAVITY)
    return path
