"""``cavitydesign sensitivity`` and ``modes --export``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cavitydesign.cli import app

LAYOUTS = Path(__file__).parents[2] / "layouts"


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_wavelength_follows_the_period_as_the_brief_says():
    result = run("sensitivity", str(LAYOUTS / "pcsel.toml"), "--by", "lattice.period_nm", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    bright = next(i for i, mode in enumerate(found["modes"]) if mode["symmetry"] == "E")
    # the scalar estimate is 1.5 nm/nm; rigour changes it by a few per cent
    assert found["wavelength_slope_nm"][bright][0] == pytest.approx(1.5, abs=0.06)


def test_unknown_number_and_a_solver_without_fields_are_input_errors():
    assert run("sensitivity", str(LAYOUTS / "pcsel.toml"), "--by", "lattice.pitch").exit_code == 2
    assert run("sensitivity", str(LAYOUTS / "pcsel.toml"), "--solver", "bragg").exit_code == 2


def test_uniform_designs_have_slopes_too(cavity):
    found = json.loads(run("sensitivity", str(cavity), "--by", "layers.2.thickness_nm", "--json").stdout)
    (slope,) = found["wavelength_slope_nm"][0]
    assert 0.0 < slope < found["modes"][0]["wavelength_nm"] / 433.0


def test_export_writes_jobs_and_the_command(tmp_path):
    result = run(
        "modes",
        str(LAYOUTS / "two_mirror.toml"),
        "--solver",
        "fdtd",
        "--export",
        str(tmp_path / "jobs"),
        "--json",
    )
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    assert "sbatch" in made["command"]
    assert (tmp_path / "jobs" / "run.sbatch").is_file()
    assert run("modes", str(LAYOUTS / "two_mirror.toml"), "--export", str(tmp_path)).exit_code == 2


def test_exported_runs_are_those_of_the_array_that_was_asked_for(tmp_path):
    sizes = {}
    for name, asked in (("cell", ["--infinite"]), ("array", ["--periods", "3,3"])):
        arguments = ["--solver", "fdtd", "--resolution", "30", *asked, "--export", str(tmp_path / name)]
        assert run("modes", str(LAYOUTS / "pcsel.toml"), *arguments).exit_code == 0
        (job, *_) = (tmp_path / name).glob("*/job.json")
        sizes[name] = json.loads(job.read_text())["cell"][0]
    assert sizes["array"] > 3.0 * sizes["cell"]
