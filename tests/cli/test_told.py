"""What every command tells of its solver, of defaults that stand in, and of what was fitted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cavitydesign.errors import Status
from cavitydesign.solvers.poles import Poles
from cavitydesign.study import calibrate as fitting
from tests.cli.running import CAVITY, LAYOUTS, command

FITTED = CAVITY.replace('"assumed", plus_minus = 10.0', '"fitted", plus_minus = 2.0, note = "to peaks.csv"')
SAID = "Fitted inputs: layers.2.thickness_nm = 433 ± 2 (to peaks.csv)"


@pytest.fixture
def peaks(tmp_path):
    path = tmp_path / "peaks.csv"
    path.write_text("wavelength_nm\n652\n")
    return path


def doubtful(monkeypatch, status, warning="a warning of its own"):
    """Every answer of the pole solver gets this status."""
    run = Poles.run
    monkeypatch.setattr(Poles, "run", lambda *asked: replace(run(*asked), status=status, warnings=(warning,)))


def commands(design, peaks, tmp_path):
    return {
        "modes": ("modes", design),
        "predict": ("predict", design, "--no-tolerances"),
        "compare": ("compare", design, "--measured", peaks),
        "calibrate": ("calibrate", design, "--measured", peaks),
        "sensitivity": ("sensitivity", design),
        "sweep": ("sweep", design, "--vary", "layers.1.thickness_nm=54,55", "--out", tmp_path / "out"),
    }


@pytest.mark.parametrize("name", ["modes", "predict", "compare", "calibrate", "sensitivity"])
def test_every_command_tells_how_the_solver_fared(name, cavity, peaks, tmp_path, monkeypatch):
    doubtful(monkeypatch, Status.UNCONVERGED)
    arguments = commands(cavity, peaks, tmp_path)[name]
    ran = command(*arguments)
    assert ran.code == 0
    assert ran.out.count(f"Status: {Status.UNCONVERGED.value}.") == 1
    assert ran.out.count("Note: a warning of its own") == 1
    found = command(*arguments, "--json").json
    assert (found["status"], found["advice"]) == ("unconverged", Status.UNCONVERGED.value)
    assert found["warnings"] == ["a warning of its own"]


@pytest.mark.parametrize("name", ["modes", "predict", "compare", "calibrate", "sensitivity", "sweep"])
def test_no_command_hides_an_answer_that_must_not_be_trusted(name, cavity, peaks, tmp_path, monkeypatch):
    doubtful(monkeypatch, Status.INCOMPLETE)
    ran = command(*commands(cavity, peaks, tmp_path)[name])
    assert ran.code == 3
    assert "incomplete: " in ran.one_line()


@pytest.mark.parametrize("name", ["modes", "predict", "compare", "sensitivity", "sweep"])
def test_what_was_fitted_says_so_wherever_it_goes(name, peaks, tmp_path):
    path = tmp_path / "fitted.toml"
    path.write_text(FITTED)
    arguments = commands(path, peaks, tmp_path)[name]
    assert SAID in " ".join(command(*arguments).out.split())
    if name == "sweep":
        import xarray

        with xarray.open_dataset(tmp_path / "out" / "sweep.nc") as table:
            assert table.attrs["fitted"] == "layers.2.thickness_nm = 433"
    else:
        inputs = [item["input"] for item in command(*arguments, "--json").json["fitted"]]
        assert "layers.2.thickness_nm" in inputs


def test_the_worst_of_several_answers_counts():
    assert Status.worst([]) is Status.OK
    assert Status.worst([Status.OK, Status.UNCONVERGED]) is Status.UNCONVERGED
    assert Status.worst([Status.UNCONVERGED, Status.INCOMPLETE, Status.OK]) is Status.INCOMPLETE


@pytest.mark.parametrize("why", ["status", "rounds"])
def test_a_fit_that_must_not_be_trusted_is_not_written(why, cavity, peaks, tmp_path, monkeypatch):
    out = tmp_path / "out.toml"
    if why == "status":
        doubtful(monkeypatch, Status.INCOMPLETE)
    else:
        monkeypatch.setattr(fitting, "ROUNDS", 1)
    ran = command("calibrate", cavity, "--measured", peaks, "--out", out)
    assert ran.code == 3
    assert f"{out} was not written" in ran.one_line()
    assert ("incomplete" if why == "status" else "had not settled after 1 rounds") in ran.one_line()
    assert not out.exists()
    assert command("calibrate", cavity, "--measured", peaks, "--out", out, "--json").json["file"] is None


def test_calibrate_overwrites_only_by_force(cavity, peaks):
    ran = command("calibrate", cavity, "--measured", peaks, "--out", cavity)
    assert ran.code == 2
    assert ran.one_line() == f"{cavity}: is there already; --force overwrites it"
    assert cavity.read_text() == CAVITY
    assert command("calibrate", cavity, "--measured", peaks, "--out", cavity, "--force").code == 0
    assert '"fitted"' in cavity.read_text()


def test_compare_takes_the_temperature_of_a_peak_without_an_emitter_too(cavity, tmp_path):
    peaks = tmp_path / "peaks.csv"
    peaks.write_text("wavelength_nm,temperature_k\n640,77\n641,293\n")
    ran = command("compare", cavity, "--measured", peaks)
    assert "77 K" in ran.out
    for name in ("emitter", "pump"):
        assert f"Note: the design has no [{name}]; its defaults stand in" in ran.out
    found = command("compare", cavity, "--measured", peaks, "--json").json
    assert [item["device"]["emitter.temperature_k"] for item in found["peaks"]] == [77.0, 293.0]
    assert found["defaults_for"] == ["emitter", "pump"]
    cold, warm = (item["predicted"] for item in found["peaks"])
    same = command("predict", cavity, "--measured", peaks, "--json").json["published"]
    assert [item["device"] for item in same] == [item["device"] for item in found["peaks"]]
    assert cold["threshold"] != warm["threshold"] or cold["transition"] != warm["transition"]


def test_sensitivity_tells_unlimited_from_unknown(tmp_path):
    path = tmp_path / "guide.toml"
    path.write_text(
        'name = "guide"\nfamily = "stack"\nwindow_nm = [600.0, 700.0]\n'
        "[[layers]]\nmaterial = { n = 1.0 }\n[[layers]]\nmaterial = { n = 2.0 }\nthickness_nm = 200.0\n"
        "[[layers]]\nmaterial = { n = 1.46 }\n"
    )
    ran = command("sensitivity", path, "--bloch", "0.0165,0", "--json")
    modes = ran.json["modes"]
    assert modes
    assert all(mode["q"] is None and mode["lossless"] is True for mode in modes)
    assert ran.json["status"] == "ok"


def test_sensitivity_offers_only_what_it_can_differentiate():
    ran = command("sensitivity", LAYOUTS / "pcsel.toml", "--solver", "bragg")
    assert ran.code == 2
    assert "'bragg'" in ran.one_line()
    assert "--periods" in command("sensitivity", LAYOUTS / "pcsel.toml", "--periods", "5,5").one_line()


def test_a_mark_of_byte_order_is_no_statement(tmp_path):
    path = tmp_path / "cavity.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CAVITY.encode())
    assert command("modes", path).code == 0


def test_a_solver_that_is_misspelt_is_told_plainly(cavity):
    assert (
        command("modes", cavity, "--solver", "pole")
        .one_line()
        .startswith("Invalid value for '--solver': 'pole' is not one of 'bragg'")
    )


def test_no_residual_is_told_as_none(cavity, tmp_path):
    peaks = tmp_path / "peaks.csv"
    peaks.write_text("wavelength_nm,layers.2.thickness_nm\n650,\n")
    out = " ".join(command("compare", cavity, "--measured", peaks).out.split())
    assert "of the nearest line; there is none. Among many modes" in out
    assert "- nm" not in out
