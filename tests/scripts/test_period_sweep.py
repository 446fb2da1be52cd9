"""The period sweep, small: the published PCSEL's slope, and an error as one line."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.period_sweep import main

LAYOUTS = Path(__file__).parents[2] / "layouts"


def test_a_small_sweep_finds_the_slope_and_writes_its_files(tmp_path, capsys):
    assert main([str(LAYOUTS / "pcsel.toml"), "--periods", "352:372:10", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    slopes = [float(text) for text in re.findall(r"dλ/dΛ = ([0-9.]+)", out)]
    # about 1.5 nm/nm for the scalar TE0; the bound is n_eff / n_group times λ/Λ, between 1.2 and 1.75
    assert slopes
    assert all(1.2 < slope < 1.75 for slope in slopes)
    assert {"sweep.nc", "sweep.csv", "period_map.png", "store"} == {path.name for path in tmp_path.iterdir()}


def test_a_missing_design_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "no.toml"), "--out", str(tmp_path)]) == 2
    assert "no such file" in capsys.readouterr().err
