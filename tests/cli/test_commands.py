"""Every command on small designs: what it prints for people and for programs, and with which exit code it leaves."""

from __future__ import annotations

import csv
import math
import shutil
import tomllib

import pytest

from cavitydesign import load_design
from cavitydesign.cli import Commands
from cavitydesign.errors import Status
from cavitydesign.solvers.solution import Solution
from tests.cli.running import CAVITY, LAYOUTS, command

MODE_KEYS = {
    "wavelength_nm",
    "q",
    "symmetry",
    "degeneracy",
    "polarization",
    "confinement",
    "threshold_gain_per_cm",
    "wavelength_err_nm",
    "q_err",
    "dark",
    "lossless",
    "q_up",
    "q_down",
    "q_absorbed",
    "q_edges",
}


def test_modes_as_json_keeps_the_contract(cavity):
    ran = command("modes", cavity, "--json")
    assert ran.code == 0
    assert ran.err == ""
    found = ran.json
    assert {"design", "solver", "window_nm", "status", "modes", "assumed"} <= set(found)
    assert found["design"] == {"name": "two plates", "id": load_design(cavity).id}
    assert (found["solver"], found["window_nm"], found["status"]) == ("poles", [600.0, 700.0], "ok")
    assert len(found["modes"]) >= 1
    for mode in found["modes"]:
        assert set(mode) >= MODE_KEYS
        assert 600.0 <= mode["wavelength_nm"] <= 700.0
        assert mode["degeneracy"] == 2, "normal incidence: two polarizations in one entry"
    wavelengths = [mode["wavelength_nm"] for mode in found["modes"]]
    assert wavelengths == sorted(wavelengths, reverse=True)
    assert [item["input"] for item in found["assumed"]] == ["layers.2.thickness_nm"]


def test_modes_for_people_say_what_was_assumed(cavity):
    ran = command("modes", cavity)
    assert ran.code == 0
    assert "λ (nm)" in ran.out
    assert "layers.2.thickness_nm = 433 ± 10" in " ".join(ran.out.split())


def test_the_window_and_the_solver_are_options(cavity):
    assert command("modes", cavity, "--window", "300:310", "--json").json["window_nm"] == [300.0, 310.0]
    found = command("modes", LAYOUTS / "pcsel.toml", "--solver", "bragg", "--json").json
    assert found["solver"] == "bragg"
    assert {mode["q"] for mode in found["modes"]} == {None}, "a method leaves null what it cannot know"


def test_an_angle_moves_the_modes_to_the_blue(cavity):
    normal = command("modes", cavity, "--json").json["modes"][0]["wavelength_nm"]
    tilted = command("modes", cavity, "--angle", "20", "--json").json["modes"]
    assert all(mode["wavelength_nm"] < normal for mode in tilted)


def test_q_unlimited_is_told_from_q_unknown():
    modes = command("modes", LAYOUTS / "pcsel.toml", "--waves", "25", "--json").json["modes"]
    lossless = [mode for mode in modes if mode["lossless"]]
    assert lossless
    assert {(mode["q"], mode["dark"], mode["threshold_gain_per_cm"]) for mode in lossless} == {
        (None, True, 0.0)
    }
    assert {mode["dark"] for mode in modes if mode["symmetry"] == "E"} == {False}
    unknown = command("modes", LAYOUTS / "pcsel.toml", "--solver", "bragg", "--json").json["modes"]
    assert {(mode["q"], mode["dark"], mode["lossless"]) for mode in unknown} == {(None, None, False)}
    text = command("modes", LAYOUTS / "pcsel.toml", "--waves", "25").out
    assert text.count("∞   dark") == len(lossless)
    assert "-   ?" in command("modes", LAYOUTS / "pcsel.toml", "--solver", "bragg").out


def test_an_untrustworthy_answer_is_printed_and_leaves_with_three(cavity, monkeypatch):
    from cavitydesign.cli import modes as cli

    true = cli.solved

    def doubtful(*arguments):
        found = true(*arguments)
        return Solution(found.modes, Status.INCOMPLETE, found.provenance)

    monkeypatch.setattr(cli, "solved", doubtful)
    ran = command("modes", cavity, "--json")
    assert ran.code == 3
    assert ran.json["status"] == "incomplete"
    assert "incomplete" in ran.one_line()


def test_predict_as_json_keeps_the_contract(cavity):
    ran = command("predict", cavity, "--json")
    assert ran.code == 0
    found = ran.json
    assert {"design", "lines", "published", "assumed"} <= set(found)
    assert found["defaults_for"] == ["emitter", "pump"]
    line = found["lines"][0]
    assert {"wavelength_nm", "transition", "threshold", "mode"} <= set(line)
    assert {"value", "unit", "pairs_per_shell"} <= set(line["threshold"])
    assert set(line["mode"]) >= MODE_KEYS
    assert {"input", "value", "source"} <= set(found["assumed"][0])
    by_input = {item["input"]: item for item in line["input_errors"]["contributions"]}
    # the film is half of the optical length at most: d(ln λ)/d(ln d) < 1
    assert 0.0 < by_input["layers.2.thickness_nm"]["wavelength_nm"] < line["wavelength_nm"] * 10.0 / 433.0


def test_predict_sets_published_values_beside():
    ran = command("predict", LAYOUTS / "two_mirror.toml", "--json")
    assert ran.code == 0
    rows = {row["quantity"]: row for row in ran.json["published"]}
    assert rows["line"]["published"] == 688.8
    assert rows["threshold"]["unit"] == "mJ/cm2"
    assert rows["line"]["difference"] == pytest.approx(rows["line"]["predicted"] - 688.8)


def test_predict_at_another_temperature(cavity):
    warm = command("predict", LAYOUTS / "two_mirror.toml", "--json", "--no-tolerances").json
    cold = command(
        "predict", LAYOUTS / "two_mirror.toml", "--json", "--no-tolerances", "--temperature", "77"
    ).json
    assert (warm["temperature_k"], cold["temperature_k"]) == (293.0, 77.0)
    assert cold["lines"][0]["wavelength_nm"] == warm["lines"][0]["wavelength_nm"], (
        "the cavity itself does not know"
    )
    assert command("predict", cavity, "--temperature", "77").code == 2, "there is no [emitter] to cool"


def test_sweep_writes_a_table_and_goes_on_where_it_was(cavity, tmp_path):
    import xarray

    out = tmp_path / "out"
    arguments = ("sweep", cavity, "--vary", "layers.2.thickness_nm=430:436:2", "--out", out, "--json")
    ran = command(*arguments)
    assert ran.code == 0
    found = ran.json
    assert (found["points"], found["failed"]) == (4, [])
    kept = sorted(path.stat().st_mtime_ns for path in (out / "store").rglob("solution.json"))
    assert len(kept) == 4
    assert command(*arguments).json["modes"] == found["modes"]
    assert sorted(path.stat().st_mtime_ns for path in (out / "store").rglob("solution.json")) == kept
    with xarray.open_dataset(out / "sweep.nc", engine="h5netcdf") as data:
        first = data["wavelength_nm"].isel(mode=0)
        assert first.dims == ("layers.2.thickness_nm",)
        assert (first.diff("layers.2.thickness_nm") > 0.0).all(), "a longer cavity has a longer wavelength"
    rows = list(csv.DictReader((out / "sweep.csv").read_text().splitlines()))
    assert [float(row["layers.2.thickness_nm"]) for row in rows][:1] == [430.0]


def test_sweep_says_which_points_broke_a_rule_and_solves_the_rest(tmp_path):
    ran = command(
        "sweep",
        LAYOUTS / "nanopillar.toml",
        "--vary",
        "pillar.diameter_nm=150,900",
        "--solver",
        "bragg",
        "--out",
        tmp_path,
        "--json",
    )
    assert ran.code == 0
    assert [item["at"] for item in ran.json["failed"]] == [{"pillar.diameter_nm": 900.0}]
    assert "1 of 2 points" in ran.one_line()


def test_compare_gives_residuals(cavity, tmp_path):
    wavelength = command("modes", cavity, "--json").json["modes"][0]["wavelength_nm"]
    peaks = tmp_path / "peaks.csv"
    peaks.write_text(
        f"layers.2.thickness_nm,wavelength_nm,source\n433,{wavelength - 0.5},ours\n440,{wavelength + 3},ours\n"
    )
    ran = command("compare", cavity, "--measured", peaks, "--json")
    assert ran.code == 0
    first, second = ran.json["peaks"]
    assert first["residual_nm"] == pytest.approx(0.5)
    assert second["device"] == {"layers.2.thickness_nm": 440.0}
    residuals = [first["residual_nm"], second["residual_nm"]]
    assert ran.json["root_mean_square_nm"] == pytest.approx(math.sqrt(sum(r * r for r in residuals) / 2))
    assert "residual" in command("compare", cavity, "--measured", peaks).out


def test_calibrate_finds_the_number_that_made_the_peaks_and_says_fitted(cavity, tmp_path):
    true = tmp_path / "true.toml"
    true.write_text(CAVITY.replace("value = 433.0", "value = 441.0"))
    wavelength = command("modes", true, "--json").json["modes"][0]["wavelength_nm"]
    peaks, out = tmp_path / "peaks.csv", tmp_path / "new" / "fitted.toml"
    peaks.write_text(f"wavelength_nm,wavelength_err_nm\n{wavelength},0.01\n")
    ran = command("calibrate", cavity, "--measured", peaks, "--out", out, "--json")
    assert ran.code == 0
    (fitted,) = ran.json["fitted"]
    assert fitted["value"] == pytest.approx(441.0, abs=3 * fitted["error"])
    assert fitted["error"] < 0.1, "a peak known to 0.01 nm leaves little of ± 10 nm"
    assert fitted["source"] == "fitted"
    assert 'source = "fitted"' in out.read_text()
    assert tomllib.loads(out.read_text())["layers"][2]["thickness_nm"]["source"] == "fitted"
    again = command("modes", out, "--json").json
    assert again["assumed"] == []
    assert again["modes"][0]["wavelength_nm"] == pytest.approx(wavelength, abs=0.02)
    assert "fitted" in command("calibrate", cavity, "--measured", peaks).out


def test_compare_and_calibrate_ask_at_the_angle_that_is_given(cavity, tmp_path):
    tilted = command("modes", cavity, "--angle", "20", "--json").json["modes"][0]["wavelength_nm"]
    peaks = tmp_path / "peaks.csv"
    peaks.write_text(f"wavelength_nm,wavelength_err_nm\n{tilted},0.01\n")
    arguments = (cavity, "--measured", peaks, "--angle", "20", "--json")
    assert command("compare", *arguments).json["peaks"][0]["residual_nm"] == pytest.approx(0.0, abs=1e-6)
    (fitted,) = command("calibrate", *arguments).json["fitted"]
    assert fitted["value"] == pytest.approx(433.0, abs=0.01), "nothing has to move"


def test_predict_names_the_inputs_that_matter_most():
    ran = command("predict", LAYOUTS / "two_mirror.toml", "--json")
    line, assumed = ran.json["lines"][0], ran.json["assumed"]
    errors = {item["input"]: abs(item["wavelength_nm"]) for item in line["input_errors"]["contributions"]}
    assert len(assumed) > 3
    words = " ".join(command("predict", LAYOUTS / "two_mirror.toml").out.split())
    assert f"and {len(assumed) - 3} more; --explain lists them" in words
    named = words.partition("fitted): ")[2].partition(", and ")[0]
    assert max(errors, key=errors.__getitem__) in named
    listed = command("predict", LAYOUTS / "two_mirror.toml", "--explain").out
    assert all(item["input"] in listed for item in assumed)


def test_mask_writes_checks_and_reads_back(tmp_path):
    out = tmp_path / "mask.gds"
    ran = command("mask", LAYOUTS / "masks" / "two_mirror.toml", "--out", out, "--json")
    assert ran.code == 0
    assert ran.json["read_back"]["ok"] is True
    assert out.stat().st_size > 0
    assert (tmp_path / "mask.gds.manifest.json").exists()
    assert command("check", LAYOUTS / "masks" / "two_mirror.toml", "--json").json["ok"] is True


def test_check_names_the_broken_rule_and_mask_writes_nothing(tmp_path):
    text = (LAYOUTS / "masks" / "two_mirror.toml").read_text()
    assert "min_feature_nm = " in text
    kept = [line for line in text.splitlines() if not line.startswith("min_feature_nm")]
    path = tmp_path / "masks" / "broken.toml"
    path.parent.mkdir()
    path.write_text("\n".join(kept).replace("[rules]", "[rules]\nmin_feature_nm = 1e6"))
    shutil.copy(LAYOUTS / "two_mirror.toml", tmp_path)
    ran = command("check", path)
    assert ran.code == 2
    assert "min_feature" in ran.one_line()
    ran = command("mask", path, "--out", tmp_path / "mask.gds")
    assert ran.code == 2
    assert not (tmp_path / "mask.gds").exists()
    assert command("mask", path, "--out", tmp_path / "mask.gds", "--force").code == 0


def test_doctor_lists_components():
    ran = command("doctor", "--json")
    names = {item["component"]: item for item in ran.json["components"]}
    assert {"numpy", "matplotlib", "gdstk", "refractiveindex.info", "meep"} <= set(names)
    assert names["numpy"]["installed"] is True
    assert ran.code == (4 if ran.json["missing"] else 0)


def test_doctor_without_meep_leaves_with_four_and_the_install_line(monkeypatch):
    from cavitydesign.errors import Unavailable
    from cavitydesign.solvers.fdtd import client

    def missing(*_, **__):
        raise Unavailable("meep", why="no interpreter imports it", install="apt-get install python3-meep")

    monkeypatch.setattr(client, "find_interpreter", missing)
    ran = command("doctor")
    assert ran.code == 4
    assert "apt-get install python3-meep" in ran.one_line()


def test_plots_are_written_beside(cavity, tmp_path):
    assert command("modes", cavity, "--json", "--plot", tmp_path / "field.png").code == 0
    assert (tmp_path / "field.png").read_bytes().startswith(b"\x89PNG")
    ran = command("modes", cavity, "--json", "--plot", tmp_path / "field.bmp")
    assert ran.code == 2
    assert "--plot" in ran.one_line()


@pytest.mark.parametrize("name", list(Commands.places))
def test_every_command_has_help_with_an_example(name):
    ran = command(name, "--help")
    assert ran.code == 0
    assert f"Example: cavitydesign {name}" in ran.out
    assert "--json" in ran.out


@pytest.mark.parametrize(("most", "shown"), [(2, ["54", "…", "56"]), (4, ["54", "55", "56"])])
def test_of_many_rows_of_a_sweep_the_middle_is_left_out(cavity, tmp_path, monkeypatch, most, shown):
    from cavitydesign.cli import sweep

    monkeypatch.setattr(sweep, "MOST_ROWS", most)
    ran = command("sweep", cavity, "--vary", "layers.1.thickness_nm=54,55,56", "--out", tmp_path / "out")
    rows = [line.split()[0] for line in ran.out.splitlines() if line.strip()[:2] in ("54", "55", "56", "… ")]
    assert rows == shown


def test_the_share_of_an_input_is_the_larger_of_both_its_shares():
    from dataclasses import replace

    from cavitydesign.cli.predict import share_of_inputs
    from cavitydesign.gain import CavityContribution, Contribution, InputErrors
    from cavitydesign.study.predict import predict
    from tests.study.toy import Toy, film

    (line,) = predict(film(), Toy(), tolerances=False).lines
    cavity = (CavityContribution("a", 1.0, 3.0, 0.0, 1.0), CavityContribution("b", 1.0, 1.0, 0.0, 2.0))
    errors = InputErrors(3.0, 0.0, 0.0, 3.0, 2.0, cavity, (), ())
    emitter = (Contribution("emitter.c", 1.0, 0.0, 2.0), Contribution("emitter.d", 1.0, 0.0, math.nan))
    line = replace(line, input_errors=errors, threshold=replace(line.threshold, contributions=emitter))
    assert share_of_inputs(line) == pytest.approx({"a": 9 / 10, "b": 4 / 9, "emitter.c": 4 / 9})
