"""Whatever a user writes: an exit code and one line naming file, key, rule and value; never a traceback."""

from __future__ import annotations

import pytest

from tests.cli.running import CAVITY, LAYOUTS, command, complaints

NANOPILLAR = (LAYOUTS / "nanopillar.toml").read_text()


def write(tmp_path, text, name="bad.toml"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (CAVITY.replace('family = "stack"', ""), ["family", "required"]),
        (CAVITY.replace('family = "stack"', 'family = "sponge"'), ["family", "sponge", "pcsel"]),
        (
            CAVITY.replace("thickness_nm = 54.0", "thicknes_nm = 54.0"),
            ["layers.1.thicknes_nm", "unknown key"],
        ),
        (
            CAVITY.replace("thickness_nm = 54.0", "thickness_nm = -3.0"),
            ["layers.1.thickness_nm", "must be > 0", "-3.0"],
        ),
        (CAVITY.replace("thickness_nm = 54.0", "thickness_nm = nan"), ["layers.1.thickness_nm", "finite"]),
        (
            CAVITY.replace("thickness_nm = 54.0", 'thickness_nm = "54"'),
            ["layers.1.thickness_nm", "number", "'54'"],
        ),
        (CAVITY.replace("thickness_nm = 54.0", "", 1), ["layers.1", "thickness_nm"]),
        (CAVITY.replace("value = 433.0", "value = -1.0"), ["layers.2.thickness_nm", "-1.0"]),
        (CAVITY.replace("plus_minus = 10.0", "plusminus = 10.0"), ["layers.2.thickness_nm", "plusminus"]),
        (CAVITY.replace("[600.0, 700.0]", "[700.0, 600.0]"), ["window_nm"]),
        (CAVITY.replace("n = 1.5", 'library = "main/Si2O/Malitson"'), ["library", "Si2O", "SiO2"]),
        (CAVITY.replace("n = 1.5", 'table = "nowhere.csv"'), ["nowhere.csv", "no such file"]),
        (CAVITY.replace("[[layers]]", "[[layers]", 1), ["TOML"]),
        (
            NANOPILLAR.replace(
                'value = 150.0, source = "assumed", plus_minus = 30.0', 'value = 500.0, source = "assumed"'
            ),
            ["pillar.diameter_nm", "cell", "365", "500"],
        ),
        (NANOPILLAR.replace('material = "quantum_shell_film"', 'material = "gold"'), ["gold", "materials"]),
    ],
)
@pytest.mark.parametrize("name", ["modes", "predict"])
def test_a_bad_design_is_one_line_naming_file_key_and_rule(tmp_path, text, names, name):
    assert text not in (CAVITY, NANOPILLAR), "the replacement above must have found its place"
    ran = command(name, write(tmp_path, text))
    assert ran.code == 2
    assert ran.out == ""
    first = ran.lines()[0]
    assert all("bad.toml: " in line or "nowhere.csv" in line for line in ran.lines()), (
        "the file that is wrong"
    )
    for word in names:
        assert word in first, first


def test_all_complaints_of_a_file_are_told_a_line_each(tmp_path):
    text = CAVITY.replace("thickness_nm = 54.0", "thicknes_nm = 54.0", 1).replace("n = 1.5", "n = -1.5", 1)
    ran = command("modes", write(tmp_path, text.replace('name = "', 'nam = "', 1)))
    assert ran.code == 2
    told = [line.partition("bad.toml: ")[2] for line in ran.lines()]
    assert told[0].startswith("layers.1.thicknes_nm: unknown key; did you mean thickness_nm?")
    assert told[1].startswith("nam: unknown key; did you mean name?")
    assert told[2].endswith("must be > 0, got -1.5")
    assert len(told) == 3


def test_a_mask_for_a_design_and_a_design_for_a_mask():
    told = command("modes", LAYOUTS / "masks" / "pcsel.toml").one_line()
    assert "pcsel.toml: this is a mask, not a design" in told
    told = command("check", LAYOUTS / "pcsel.toml").one_line()
    assert "pcsel.toml: this is a design, not a mask" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--window", "700:600"], ["--window", "700:600"]),
        (["--window", "600:600"], ["--window"]),
        (["--window", "600"], ["--window", "SHORT:LONG"]),
        (["--window", "a:b"], ["--window", "number"]),
        (["--window", "nan:700"], ["--window", "finite"]),
        (["--window", "100:7000"], ["--window", "factor"]),
        (["--solver", "comsol"], ["--solver", "comsol", "poles"]),
        (["--solver", "bragg", "--waves", "9"], ["--waves", "poles"]),
        (["--waves", "0"], ["--waves"]),
        (["--tolerance", "-1"], ["--tolerance"]),
        (["--tolerance", "nan"], ["--tolerance"]),
        (["--angle", "90"], ["--angle"]),
        (["--bloch", "1"], ["--bloch", "2"]),
        (["--solver", "bragg", "--orders", "1.5"], ["--orders"]),
        (["--nonsense"], ["--nonsense", "--help"]),
    ],
)
def test_a_bad_option_is_one_line_naming_it(cavity, arguments, words):
    ran = command("modes", cavity, *arguments)
    assert ran.code == 2
    line = ran.one_line()
    for word in words:
        assert word in line, line


def test_a_wavelength_outside_a_table_names_the_range(tmp_path):
    rows = "\n".join(f"{w},1.5" for w in range(620, 700, 10))
    write(tmp_path, f"wavelength_nm,n\n{rows}\n", "film.csv")
    design = write(tmp_path, CAVITY.replace("n = 1.5", 'table = "film.csv"'))
    line = command("modes", design).one_line()
    assert command("modes", design).code == 2
    for word in ("bad.toml", "600-700", "620-690", "film.csv"):
        assert word in line, line
    assert command("modes", design, "--window", "625:685").code == 0


def test_a_file_that_is_not_there_not_text_or_a_folder(tmp_path):
    for path in (tmp_path / "no.toml", tmp_path):
        ran = command("modes", path)
        assert ran.code == 2
        assert str(path) in ran.one_line()
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "binary.toml" in command("modes", path).one_line()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wavelength_nm\nred\n", ["line 2", "wavelength_nm", "number", "red"]),
        ("# ours\nwavelength_nm\n640\nnan\n", ["line 4", "finite"]),
        ("wavelength_nm\n-640\n", ["line 2", "> 0"]),
        ("wavelegth_nm\n640\n", ["wavelegth_nm", "wavelength_nm"]),
        ("wavelength_nm,layers.9.thickness_nm\n640,3\n", ["layers.9"]),
        ("wavelength_nm,threshold\n640,3\n", ["unit"]),
        ("wavelength_nm,threshold,unit\n640,3,J\n", ["unit", "J", "kW/cm2"]),
        ("wavelength_nm,wavelength_nm\n640,640\n", ["twice"]),
        ("wavelength_nm\n640,3\n", ["2 cells"]),
        ("wavelength_nm\n", ["no peaks"]),
        ("", ["empty"]),
        ("threshold,unit\n3,uJ/cm2\n", ["wavelength_nm"]),
        ("wavelength_from_nm,wavelength_to_nm\n640,\n", ["line 2", "range"]),
    ],
)
@pytest.mark.parametrize("name", ["compare", "calibrate"])
def test_bad_peaks_are_one_line_naming_line_and_column(cavity, tmp_path, text, words, name):
    peaks = write(tmp_path, text, "peaks.csv")
    ran = command(name, cavity, "--measured", peaks)
    assert ran.code == 2
    for word in words:
        assert word in ran.one_line(), ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--vary"]),
        (["--vary", "nonsense"], ["--vary", "path"]),
        (["--vary", "layers.2.thickness=1:2:1"], ["layers.2.thickness"]),
        (["--vary", "layers.2.thickness_nm=1:2"], ["start:stop:step"]),
        (["--vary", "layers.2.thickness_nm=-2,-1"], ["no point", "must be > 0"]),
        (["--vary", "layers.2.thickness_nm=430", "--jobs", "0"], ["--jobs"]),
    ],
)
def test_a_bad_sweep_is_one_line(cavity, tmp_path, arguments, words):
    ran = command("sweep", cavity, "--out", tmp_path / "out", *arguments)
    assert ran.code == 2
    for word in words:
        assert word in ran.one_line(), ran.err


def test_calibrating_what_moves_no_mode_or_has_no_half_width(cavity, tmp_path):
    peaks = write(tmp_path, "wavelength_nm\n640\n", "peaks.csv")
    ran = command("calibrate", cavity, "--measured", peaks, "--fit", "layers.1.thickness_nm")
    assert ran.code == 2
    assert "plus_minus" in ran.one_line()
    ran = command("calibrate", LAYOUTS / "pcsel.toml", "--measured", peaks, "--fit", "emitter.p_strength")
    assert ran.code == 2
    assert "emitter.p_strength" in ran.one_line()


def test_a_result_folder_that_cannot_be_made(cavity, tmp_path):
    (tmp_path / "file").write_text("")
    ran = command("sweep", cavity, "--vary", "layers.2.thickness_nm=430", "--out", tmp_path / "file" / "out")
    assert ran.code == 2
    assert "file" in ran.one_line()


def test_no_command_shows_help_and_an_unknown_one_is_one_line():
    assert "Commands" in command().err + command().out
    ran = command("simulate")
    assert ran.code == 2
    assert "simulate" in ran.one_line()
    ran = command("modes")
    assert ran.code == 2
    assert "DESIGN" in ran.one_line()


def test_a_defect_of_ours_is_one_line_and_exit_code_one(cavity, monkeypatch):
    from cavitydesign.cli import modes as cli

    monkeypatch.setattr(cli, "modes_document", lambda *_: 1 / 0)
    ran = command("modes", cavity, "--json")
    assert ran.code == 1
    assert len(complaints(ran.err)) == 1
    assert "ZeroDivisionError" in ran.err


def test_a_sweep_into_a_file_is_refused_before_the_work(cavity):
    ran = command("sweep", cavity, "--vary", "layers.1.thickness_nm=50,60", "--out", cavity)
    assert ran.code == 2
    assert ran.err.startswith("--out: is a file; name a folder")
