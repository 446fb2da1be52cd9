"""All complaints of a file at once, each with the file, the key and the value that are at fault."""

from __future__ import annotations

import pytest

from cavitydesign import design_from_dict, read_peaks
from cavitydesign.errors import InputError
from cavitydesign.geometry.complaint import RuleBroken, all_hold
from cavitydesign.geometry.load import read_gain_table
from cavitydesign.masks.load import load_mask
from cavitydesign.study.compare import compare
from tests.cli.running import LAYOUTS, command
from tests.study.toy import film, peak

GRATING = (LAYOUTS / "grating.toml").read_text()


def keys_of(call):
    with pytest.raises(InputError) as caught:
        call()
    return [complaint.key for complaint in caught.value.complaints]


def test_nothing_hides_unknown_materials(tmp_path):
    path = tmp_path / "bad.toml"
    text = GRATING.replace('material = "quantum_shell_film"', 'material = "shells"')
    text = text.replace('library = "main/SiO2/Malitson"', 'library = "main/SiO2/Malison"')
    path.write_text(
        text.replace("value = 293.0", "value = 5000.0").replace("periods = 500", "periods = [5, 5]")
    )
    lines = command("modes", path).lines()
    assert [line.split(": ")[1] for line in lines] == [
        "grating.material.library", "film.material", "substrate.library", "emitter.temperature_k",
    ]  # fmt: skip
    assert "close to it: main/SiO2/Malitson" in lines[0]
    assert "it has: quantum_shell_film" in lines[1]


def test_rules_of_a_whole_design_are_told_together():
    content = {
        "name": "x", "family": "grating", "lattice": {"kind": "line", "period_nm": 200.0},
        "grating": {"material": {"n": 1.5}, "thickness_nm": 60.0, "duty_cycle": 0.5, "duty_cycle_of": "ridge"},
        "film": {"material": {"n": 1.8}, "coating": "conformal", "thickness_nm": 180.0},
        "substrate": {"n": 1.5}, "device": {"periods": [5, 5]},
    }  # fmt: skip
    assert {"device.periods"} < set(keys_of(lambda: design_from_dict(content)))


def test_checks_raise_what_they_raise_together():
    def broken(text):
        raise RuleBroken(text)

    with pytest.raises(RuleBroken, match="one"):
        all_hold(lambda: None, lambda: broken("one"))
    with pytest.raises(ValueError, match="one; two"):
        all_hold(lambda: broken("one"), lambda: broken("two"))


def test_wrong_entries_are_no_missing_ones():
    assert keys_of(lambda: film(device={"periods": [0, 4.5]})) == ["device.periods.0", "device.periods.1"]
    assert keys_of(lambda: film(device={"periods": []})) == ["device.periods"]


def test_a_mask_tells_what_it_varies_beside_the_rest(tmp_path):
    text = (LAYOUTS / "masks" / "pcsel.toml").read_text().replace("grating.duty_cycle", "grating.duty")
    path = tmp_path / "masks" / "mask.toml"
    path.parent.mkdir()
    (tmp_path / "pcsel.toml").write_text((LAYOUTS / "pcsel.toml").read_text())
    path.write_text(text.replace('layer = "film"', 'layer = "flim"'))
    assert keys_of(lambda: load_mask(path)) == ["fields.0.vary.key", "windows.0.layer"]
    path.write_text(
        text.replace("grating.duty", "lattice.period_nm").replace(
            'periods_nm = "320:460:10"', "periods_nm = [320.0, 320.0]"
        )
    )
    told = keys_of(lambda: load_mask(path))
    assert told == ["fields.0.vary.key", "fields.0"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_bad_line_of_a_gain_table_is_told(tmp_path, delimiter):
    path = tmp_path / "gain.csv"
    rows = ["wavelength_nm,gain_per_cm", "600,x", "y,5", "620,5"]
    path.write_text("\n".join(row.replace(",", delimiter) for row in rows))
    assert keys_of(lambda: read_gain_table(path)) == [
        "line 3, column wavelength_nm",
        "line 2, column gain_per_cm",
    ]
    path.write_text('wavelength_nm,gain_per_cm\n"6,5\n600,5\n"7,5\n')
    assert keys_of(lambda: read_gain_table(path)) == ["line 2", "line 4"]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="wavelength_nm") as caught:
        read_gain_table(path)
    assert len(caught.value.lines) == 2


SAVED = {
    "commas": "wavelength_nm,threshold,unit,lattice.period_nm\n640.5,4.25,uJ/cm2,360\n",
    "semicolons": "wavelength_nm;threshold;unit;lattice.period_nm\n640,5;4,25;uJ/cm2;360\n",
    "tabs": "wavelength_nm\tthreshold\tunit\tlattice.period_nm\n640,5\t4.25\tuJ/cm2\t360\n",
    "spaces": "wavelength_nm threshold unit lattice.period_nm\n640.5 4,25 uJ/cm2 360\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("form", list(SAVED))
def test_peaks_are_read_as_spreadsheets_save_them(tmp_path, form, encoding):
    path = tmp_path / "peaks.csv"
    path.write_bytes(f"# µ\n{SAVED[form]}".encode(encoding))
    (peak,) = read_peaks(path)
    assert (peak.wavelength_nm, peak["threshold"], peak.texts) == (640.5, 4.25, {"unit": "uJ/cm2"})
    assert (peak.device, peak.line, peak.file) == ({"lattice.period_nm": 360.0}, 3, path)


def test_a_gain_table_may_have_decimal_commas(tmp_path):
    path = tmp_path / "gain.csv"
    path.write_bytes("wavelength_nm;gain_per_cm\n600,5;-1,5e2\n610;20\n".encode("utf-16"))
    found = read_gain_table(path)
    assert (found.wavelengths_nm, found.gain_per_cm) == ((600.5, 610.0), (-150.0, 20.0))


def test_a_picture_is_no_table(tmp_path):
    path = tmp_path / "peaks.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(InputError, match="cannot be read as a text file"):
        read_peaks(path)


def test_a_decimal_comma_is_none_where_commas_part_columns(tmp_path):
    path = tmp_path / "peaks.csv"
    path.write_text('wavelength_nm,note\n"640,5",x\n')
    with pytest.raises(InputError, match="must be a number"):
        read_peaks(path)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("temperature_k\n640,1e5", "line 2, column temperature_k"),
        ("lattice.perod_nm\n640,360", "line 2, column lattice.perod_nm"),
        ("period_nm\n640,1e-9", "line 2, column lattice.period_nm"),
    ],
)
@pytest.mark.parametrize("name", ["compare", "predict", "calibrate"])
def test_a_fault_of_the_peaks_names_their_file(tmp_path, row, place, name):
    peaks = tmp_path / "peaks.csv"
    peaks.write_text(f"wavelength_nm,{row}\n")
    ran = command(name, LAYOUTS / "pcsel.toml", "--measured", peaks, "--window", "620:640", "--waves", "25")
    assert ran.code == 2
    assert ran.one_line().startswith(f"{peaks}: {place}: ")


def test_what_options_say_is_not_laid_to_the_design(cavity, tmp_path):
    vary = ("--vary", "layers.1.thickness_nm=54,55")
    for more, option in (((*vary, "--jobs", "0"), "--jobs"), ((*vary, *vary), "--vary")):
        ran = command("sweep", cavity, "--out", tmp_path / "out", *more)
        assert ran.code == 2
        assert ran.one_line().startswith(f"{option}: ")
    ran = command("modes", LAYOUTS / "pcsel.toml", "--periods", "5", "--solver", "finite")
    assert ran.one_line().startswith("--periods: ")


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("transition", "[bold]zz[/]", "must be X, XX or MX"),
        ("symmetry", "E3", "must be A1, A2"),
        ("polarization", "te", "must be TE, TM"),
    ],
)
def test_cells_that_say_nothing_known_are_refused(tmp_path, column, cell, rule):
    path = tmp_path / "peaks.csv"
    path.write_text(f"wavelength_nm,{column}\n640,{cell}\n")
    with pytest.raises(InputError, match=rule) as caught:
        read_peaks(path)
    assert (caught.value.key, caught.value.value) == (f"line 2, column {column}", cell)


def test_a_peak_that_gets_no_line_is_told(cavity, tmp_path):
    peaks = tmp_path / "peaks.csv"
    peaks.write_text("wavelength_nm,symmetry,polarization\n650,E2,TM\n")
    assert (
        "Note: no predicted line is left for the peak at 650 nm (E2 TM)."
        in command("compare", cavity, "--measured", peaks).out
    )
    (fact,) = command("predict", cavity, "--measured", peaks, "--json").json["published"]
    assert fact["note"] == "no predicted E2 TM line in the window"


def test_a_peak_made_by_hand_has_no_file():
    with pytest.raises(InputError, match=r"^line 2, column lattice.perod_nm: "):
        compare(film(), [peak(640.0, device={"lattice.perod_nm": 4.0})], lambda *_: ())
