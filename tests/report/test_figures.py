"""Figures from hand-made results: what is drawn stands where the numbers say, and files are whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.lines import Line2D

from cavitydesign.errors import InputError, Status
from cavitydesign.report import plots
from cavitydesign.report.plots.style import styled
from cavitydesign.solvers.solution import Mode, Modes, Solution
from cavitydesign.study.published import Fact
from cavitydesign.study.sweep import Axis, Sweep, sweep
from cavitydesign.study.verify import Verification, compare
from tests.study.toy import THICKNESS, Rule, Toy, film, peak

WINDOW = (600.0, 700.0)
PERIOD = "lattice.period_nm"


def solution(*modes: Mode) -> Solution:
    return Solution(Modes.of(modes), Status.OK, window_nm=WINDOW)


def mode(wavelength_nm: float, q: float, symmetry: str = "E", polarization: str = "TE") -> Mode:
    return Mode(wavelength_nm, q, symmetry, 1, polarization)


def fact(published, predicted=None, err=None, **more) -> Fact:
    values = {"quantity": "line", "unit": "nm", "note": "", "device": {}, "device_is": None, "unstated": (),
              "source": None, **more}  # fmt: skip
    return Fact(published=published, predicted=predicted, predicted_err=err, **values)


@pytest.fixture
def verification() -> Verification:
    """Two pairs (the second without loss), two modes of the fast solver alone, one of FDTD alone."""
    fast = solution(mode(650.0, 1000.0), mode(630.0, math.inf, "A1"), mode(680.0, 500.0), mode(670.0, 200.0))
    fdtd = solution(mode(650.5, 1010.0), mode(629.9, math.inf, "A1"), mode(610.0, 400.0))
    return compare(fast, fdtd, window_nm=WINDOW, q_min=1.0)


def drawn(axes, marker: str) -> list[tuple[float, float]]:
    """Places of one marker; points of legends alone have none."""
    lines = [line for line in axes.lines if line.get_marker() == marker and len(line.get_xdata())]
    return sorted((float(x), float(y)) for line in lines for x, y in zip(*line.get_data(), strict=True))


def test_the_verification_counts_its_modes_in_the_title(verification):
    top, bottom = plots.verification_picture(verification).axes
    said = top.get_title(loc="left") or top.get_title()
    assert said == "2 matched, 2 only by the fast solver, 1 only by FDTD"
    assert bottom.get_xlim() == WINDOW
    assert top.get_xlim() == WINDOW


def test_every_witness_has_its_own_mark(verification):
    top, _ = plots.verification_picture(verification).axes
    assert drawn(top, "o") == [(630.0, 1e-6), (650.0, 1e-3)], "without loss it stands at the floor"
    assert drawn(top, "x") == [(629.9, 1e-6), (650.5, 1.0 / 1010.0)]
    assert [x for x, _ in drawn(top, "s")] == [670.0, 680.0]
    assert drawn(top, "D") == [(610.0, 1.0 / 400.0)]
    words = [text.get_text() for text in top.get_legend().get_texts()]
    assert sorted(words) == ["FDTD", "fast solver", "only FDTD", "only the fast solver"]
    assert sorted(text.get_text() for text in top.texts) == ["A1", "E"]


def test_differences_stand_with_their_joint_error_bars(verification):
    _, bottom = plots.verification_picture(verification).axes
    differences = dict(drawn(bottom, "o"))
    assert differences == pytest.approx({630.0: -0.1, 650.0: 0.5})
    heights = [np.ptp(segment[:, 1]) for bars in bottom.collections for segment in bars.get_segments()]
    assert heights == pytest.approx([2.0 * pair.wavelength_joint_err_nm for pair in verification.pairs])
    assert bottom.get_ylabel() == "FDTD - fast (nm)"


def test_a_pair_that_disagrees_says_so_and_has_a_mark_of_its_own():
    fast = solution(mode(650.0, 1000.0), mode(630.0, 500.0, "A1"))
    fdtd = solution(mode(650.5, 1010.0), mode(629.9, 600.0, "A1"))
    found = compare(fast, fdtd, window_nm=WINDOW, q_min=1.0)
    assert [pair.agrees for pair in found.pairs] == [True, False], (
        "Q apart by more than three joint errors of 3 %"
    )
    top, bottom = plots.verification_picture(found).axes
    assert sorted(text.get_text() for text in top.texts) == ["A1 disagrees", "E"]
    assert [x for x, _ in drawn(bottom, "o")] == [650.0]
    assert [x for x, _ in drawn(bottom, "X")] == [630.0]
    assert [text.get_text() for text in bottom.get_legend().get_texts()] == ["agree", "disagree"]


def test_a_verification_without_modes_is_still_a_picture():
    top, bottom = plots.verification_picture(
        compare(solution(), solution(), window_nm=WINDOW, q_min=1.0)
    ).axes
    assert "0 matched" in (top.get_title(loc="left") or top.get_title())
    assert top.get_legend() is None
    assert bottom.get_xlim() == WINDOW


def test_published_and_predicted_stand_in_rows_from_the_top():
    facts = [
        fact(640.0, 642.0, 1.5, device={PERIOD: 365.0}),
        fact((620.0, 630.0), 625.0, quantity="range of lines"),
        fact(610.0, unstated=(PERIOD,)),
        fact(0.3, 0.2, quantity="line width"),
        fact(12.0, 10.0, quantity="threshold", unit="uJ/cm2"),
    ]
    (axes,) = plots.published_against_predicted(facts, title="Both").axes
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["line, Λ not stated", "range of lines", "line, Λ = 365 nm"]
    assert drawn(axes, "*") == [(610.0, 0.0), (640.0, 2.0)]
    assert drawn(axes, "o") == [(625.0, 1.0), (642.0, 2.0)], "nothing predicted, nothing drawn"
    bands = [line for line in axes.lines if line.get_linewidth() == 7 and len(line.get_xdata())]
    assert [(tuple(line.get_xdata()), tuple(line.get_ydata())) for line in bands] == [
        ((620.0, 630.0), (1, 1))
    ]
    spans = [s[:, 0] for bar in axes.collections for s in bar.get_segments() if len(s)]
    assert any(span == pytest.approx([640.5, 643.5]) for span in spans)
    assert (axes.get_title(loc="left") or axes.get_title()) == "Both"
    assert axes.get_xlabel() == "wavelength λ (nm)"


def test_the_mode_chart_puts_modes_without_loss_above_all_others():
    modes = (mode(690.0, math.inf, "A2"), mode(650.0, 2000.0), mode(640.0, 300.0, "B1", "TM-like"))
    figure = plots.mode_chart(film(), solution(*modes))
    (axes,) = figure.axes
    places = {tuple(map(float, p)) for c in axes.collections if len(c.get_offsets()) for p in c.get_offsets()}
    places = {(x, y) for x, y in places if x > 0.0}
    heights = dict(places)
    assert heights[650.0] == 2000.0
    assert heights[640.0] == 300.0
    assert heights[690.0] > 2000.0
    assert axes.get_ylim()[1] > heights[690.0]
    said = [text.get_text() for text in axes.texts]
    assert sorted(said) == ["A2", "B1", "E", "no loss: Q = ∞"]
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"TE", "TM"}
    assert (axes.get_xlim(), axes.get_yscale()) == (WINDOW, "log")


def test_without_modes_the_chart_is_empty_and_says_whose_it_is():
    (axes,) = plots.mode_chart(film(), solution()).axes
    assert (axes.get_title(loc="left") or axes.get_title()) == "toy film"
    assert axes.get_legend() is None
    assert axes.get_xlim() == WINDOW


@pytest.fixture
def swept() -> Sweep:
    rules = (Rule(640.0, by_period=1.5), Rule(660.0, by_period=1.0, symmetry="A1", outward_share=0.0))
    return sweep(film(), [Axis(PERIOD, (395.0, 400.0, 405.0))], Toy(rules))


def test_a_map_shows_each_mode_at_its_point(swept):
    main = plots.period_map(swept, title="Map").axes[0]
    shown = sorted(tuple(map(float, p)) for c in main.collections for p in c.get_offsets())
    assert shown == sorted((p.values[PERIOD], m.wavelength_nm) for p, m in swept.rows())
    assert len(shown) == 6
    assert (main.get_xlabel(), main.get_ylabel()) == ("period Λ (nm)", "wavelength λ (nm)")
    assert main.get_ylim() == WINDOW
    assert (main.get_title(loc="left") or main.get_title()) == "Map"


def test_a_map_marks_dark_modes_open(swept):
    figure = plots.period_map(swept)
    dark = next(c for c in figure.axes[0].collections if str(c.get_label()).startswith("dark"))
    assert sorted(float(y) for _, y in dark.get_offsets()) == [655.0, 660.0, 665.0]
    assert len(dark.get_facecolors()) == 0


def test_published_peaks_are_stars_lines_and_bands(swept):
    peaks = [
        peak(641.0, device={PERIOD: 400.0}, transition="X"),
        peak(650.0),
        peak(wavelength_from_nm=620.0, wavelength_to_nm=630.0),
    ]
    figure = plots.period_map(swept, peaks=peaks)
    assert drawn(figure.axes[0], "*") == [(400.0, 641.0)]
    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"published line", "published line, device not stated", "published range"} <= words


def test_other_axes_are_named_by_their_paths_and_none_is_refused(swept):
    done = sweep(film(), [Axis(THICKNESS, (195.0, 205.0))], Toy())
    assert plots.period_map(done).axes[0].get_xlabel() == "layers.1.thickness (nm)"
    with pytest.raises(InputError, match="varied number"):
        plots.period_map(Sweep(swept.design, (), swept.points[:1], swept.outcomes[:1]))


def small():
    """A figure that is quickly written."""
    with styled(1.5, 1.5) as figure:
        figure.add_artist(Line2D([0.1, 0.9], [0.1, 0.9]))
        return figure


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("a.png", b"\x89PNG", b"IEND\xaeB`\x82"),
        ("a.PDF", b"%PDF", b"%%EOF\n"),
        ("a.svg", b"<?xml", b"</svg>\n"),
    ],
)
def test_a_figure_is_written_whole_and_twice_the_same(name, start, end, tmp_path):
    target = tmp_path / name
    written = []
    for _ in range(2):
        plots.save(small(), target)
        written.append(target.read_bytes())
    assert written[0].startswith(start)
    assert written[0].endswith(end)
    assert written[0] == written[1]
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is left beside it"


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.png.txt"])
def test_other_endings_are_refused_and_nothing_is_written(name, tmp_path):
    with pytest.raises(InputError, match=r"\.png, \.pdf or \.svg"):
        plots.save(small(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "kept.png"
    target.write_bytes(b"old")
    figure = small()

    def broken(data, **_more):
        data.write(b"half")
        raise RuntimeError("no more ink")

    monkeypatch.setattr(figure, "savefig", broken)
    with pytest.raises(RuntimeError, match="no more ink"):
        plots.save(figure, target)
    assert target.read_bytes() == b"old"
