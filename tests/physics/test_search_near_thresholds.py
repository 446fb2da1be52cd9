"""A case that once went wrong: between two thresholds of silicon, sixteen samples missed weakly coupled modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cavitydesign import Poles, Status, load_design, solve
from cavitydesign.study.follow import follow

LAYOUTS = Path(__file__).parents[2] / "layouts"


def test_pillars_on_silicon_keep_every_mode_of_both_families() -> None:
    solution = solve(load_design(LAYOUTS / "nanopillar.toml"), Poles(), window_nm=(560.0, 700.0))
    assert solution.status is Status.OK
    te = [mode.symmetry for mode in solution.modes if mode.polarization == "TE-like" and mode.q > 100.0]
    tm = [mode.symmetry for mode in solution.modes if mode.polarization == "TM-like"]
    assert sorted(te) == [
        "A2",
        "B2",
        "E",
    ]  # each guided wave gives four Bragg states: two dark ones and a pair
    assert sorted(tm) == ["A1", "B1", "E"]


@pytest.mark.slow
def test_following_agrees_with_fresh_searches_across_thresholds() -> None:
    design = load_design(LAYOUTS / "nanopillar.toml")
    found = follow(
        lambda p: design.with_value("lattice.period_nm", p), np.arange(345.0, 366.0), window_nm=(560.0, 700.0)
    )
    assert found.proven
