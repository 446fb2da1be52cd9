"""Lines whose threshold is only known from above, and what marks and footnotes say of the others."""

from __future__ import annotations

import pytest

from cavitydesign.cli.output import figure
from cavitydesign.cli.predict import published_table
from cavitydesign.gain.lines import Line
from cavitydesign.study.predict import predict
from cavitydesign.study.published import Fact
from tests.cli.running import CAVITY, command
from tests.study.toy import Rule, Toy, film, peak

UNNAMED = "wavelength_nm,gain_per_cm\n560,100\n630,80000\n720,5000\n"
PAIRS = "wavelength_nm,gain_per_cm,pairs_per_shell\n560,90000,3\n720,90000,3\n560,95000,4\n720,95000,4\n"


def measured(tmp_path, table):
    """The small resonator with a measured gain table."""
    (tmp_path / "gain.csv").write_text(table)
    path = tmp_path / "cavity.toml"
    path.write_text(CAVITY + '[emitter]\nmodel = "measured"\nspectrum = { table = "gain.csv" }\n')
    return path


def test_a_level_that_nobody_named_is_no_threshold(tmp_path):
    path = measured(tmp_path, UNNAMED)
    ran = command("predict", path)
    (row,) = [line for line in ran.out.splitlines() if "‖ " in line and "marked" not in line]
    assert row.split()[0] == "-‖"
    assert "lines marked ‖: above threshold at the lowest measured level already" in ran.out
    line = command("predict", path, "--json").json["lines"][0]
    assert line["status"] == "upper_bound"
    assert line["rank"] is None
    assert line["threshold"]["value"] is line["threshold"]["value_err"] is None
    assert line["threshold"]["pairs_err"] is line["input_errors"]["threshold"] is None


def test_an_upper_bound_says_so_everywhere(tmp_path):
    path = measured(tmp_path, PAIRS)
    ran = command("predict", path)
    (row,) = [line for line in ran.out.splitlines() if "-‖" in line]
    assert row.count("≤") == 2
    assert "≤ 3.00" in row
    assert "lines marked ‖" in ran.out
    line = command("predict", path, "--json").json["lines"][0]
    assert (line["rank"], line["threshold"]["pairs_per_shell"]) == (None, pytest.approx(3.0))
    peaks = tmp_path / "peaks.csv"
    peaks.write_text("wavelength_nm,threshold,unit,threshold_pairs\n630,4,uJ/cm2,2\n")
    facts = command("predict", path, "--measured", peaks, "--json").json["published"]
    assert [fact["predicted"] for fact in facts[1:]] == [None, None]
    assert all(fact["note"].startswith("predicted: ≤ ") for fact in facts[1:])
    assert "≤ " in command("compare", path, "--measured", peaks).out


def test_ranks_count_the_bounds_in_front(tmp_path):
    path = measured(tmp_path, PAIRS)
    design = predict(film(), Toy()).design.replace(
        emitter={"model": "measured", "spectrum": dict(_spectrum(tmp_path, path))}
    )
    rules = (
        Rule(640.0, gain_per_cm=92000.0),
        Rule(650.0, gain_per_cm=80000.0),
        Rule(660.0, gain_per_cm=94000.0),
    )
    lines = predict(design, Toy(rules), tolerances=False).lines
    assert [(line.wavelength_nm, line.rank) for line in lines] == [(650.0, None), (640.0, 2), (660.0, 3)]
    assert [line.at_most for line in lines] == ["≤ ", "", ""]
    assert "≤ " in lines._repr_html_()
    assert lines.first.wavelength_nm == 650.0


def _spectrum(tmp_path, path):
    from cavitydesign import load_design

    return load_design(path).emitter.spectrum.model_dump()


def test_each_reason_has_a_mark_and_a_footnote_of_its_own(cavity):
    marks = {}
    rules = (
        Rule(640.0), Rule(641.0, outward_share=0.0), Rule(642.0, gain_per_cm=1e9),
        Rule(643.0, gain_per_cm=1e9, outward_share=0.0), Rule(690.0),
    )  # fmt: skip
    emitter = {
        "model": "constant",
        "slope_per_cm": 500.0,
        "transparency_pairs": 1.0,
        "gain_window_nm": [600.0, 680.0],
    }
    lines = predict(film(emitter=emitter), Toy(rules), tolerances=False).lines
    for line in lines:
        marks[line.wavelength_nm] = "".join(line.marks)
        assert line.note.startswith("; ".join(line.marks.values()))
    assert marks == {640.0: "", 641.0: "*", 642.0: "†", 643.0: "*†", 690.0: "‡"}


def test_what_is_not_known_to_be_dark_is_not_called_bright():
    lines = predict(film(), Toy((Rule(640.0, outward_share=float("nan")),)), tolerances=False).lines
    (line,) = lines
    assert isinstance(line, Line)
    assert line.dark is None
    assert line.record()["dark"] is line.record()["mode"]["dark"] is None
    assert "<td>?</td>" in lines._repr_html_()


def test_predict_pairs_only_what_a_peak_may_be():
    rules = (Rule(624.0, polarization="TE-like"), Rule(610.0, polarization="TM-like", symmetry="A1"))
    for row, at in (
        (peak(624.0), 624.0),
        (peak(624.0, polarization="TM"), 610.0),
        (peak(624.0, symmetry="A1"), 610.0),
    ):
        (fact,) = predict(film(), Toy(rules), peaks=[row], tolerances=False).published
        assert fact.predicted == at
    for more in (
        {"wavelength_nm": 630.0, "unstated": ("lattice.period_nm",)},
        {"wavelength_from_nm": 600.0, "wavelength_to_nm": 630.0},
    ):
        (fact,) = predict(
            film(), Toy(rules), peaks=[peak(**more, polarization="TM")], tolerances=False
        ).published
        assert fact.predicted == 610.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0141, "0.014"), (0.5, "0.50"), (0.05, "0.050"), (1.0, "1.00"), (633.4, "633.40"), (-0.0141, "-0.014"),
        (1.41e-6, "1.410e-06"), (1.5e6, "1.500e+06"), (0.0, "0.00"),
    ],
)  # fmt: skip
def test_a_figure_has_two_figures_at_least(value, text):
    assert figure(value) == text


def test_small_errors_of_small_numbers_show():
    assert figure(0.000141, 0.000012) == "0.000141 ± 0.000012"
    assert figure(633.0, 1e-6) == "633.0000"
    assert figure(1.7e-13, 5e-14) == "1.70e-13 ± 5.0e-14"


def test_published_numbers_keep_their_figures():
    fact = Fact("threshold", 0.0141, 0.0152, None, "mJ/cm2", "", {}, None, (), None)
    cells = [column._cells for column in published_table([fact]).columns]
    assert [cell[0] for cell in cells[2:5]] == ["0.0141", "0.0152", "+0.00110"]
