"""Figures: what they show is what they were given, with units on every axis; files are whole and reproducible."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cavitydesign import Poles, load_design, solve
from cavitydesign.errors import InputError, Status
from cavitydesign.masks import build, load_mask
from cavitydesign.report import plots
from cavitydesign.report.plots.cavity import mirror_alone
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study.peaks import read_peaks
from cavitydesign.study.predict import predict
from cavitydesign.study.sweep import Axis, sweep

LAYOUTS = Path(__file__).parents[1] / "layouts"


@pytest.fixture(scope="module")
def two_mirror():
    return predict(
        load_design(LAYOUTS / "two_mirror.toml"), peaks=read_peaks(LAYOUTS / "measured" / "two_mirror.csv")
    )


@pytest.fixture(scope="module")
def swept():
    design = load_design(LAYOUTS / "pcsel.toml")
    return sweep(design, [Axis("lattice.period_nm", (350.0, 370.0, 405.0))], Poles(waves=25))


def axes_of(figure):
    return [axes for axes in figure.axes if axes.get_xlabel() or axes.get_ylabel()]


def says_units(figure):
    labels = [text for axes in axes_of(figure) for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
    return all(
        "(" in text or text.startswith(("|E|", "quality", "reflectance", "refractive", "1 - R"))
        for text in labels
    )


def points(axes):
    """All scattered points as rows (x, y)."""
    return np.vstack([np.asarray(c.get_offsets()) for c in axes.collections if len(c.get_offsets())])


def test_the_period_map_shows_every_mode_once(swept):
    figure = plots.period_map(swept, peaks=read_peaks(LAYOUTS / "measured" / "pcsel.csv"))
    shown = points(figure.axes[0])
    expected = np.array([[p.values["lattice.period_nm"], mode.wavelength_nm] for p, mode in swept.rows()])
    assert sorted(shown.tolist()) == sorted(expected.tolist())
    assert figure.axes[0].get_xlabel() == "period Λ (nm)"
    assert says_units(figure)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "published line, device not stated" in words
    assert figure.axes[1].get_ylim() == figure.axes[0].get_ylim(), (
        "the gain stands along the same wavelengths"
    )


def test_published_points_with_a_device_are_stars_at_their_place():
    design = load_design(LAYOUTS / "nanopillar.toml")
    done = sweep(design, [Axis("lattice.period_nm", (365.0,))], Poles(waves=9), window_nm=(600.0, 650.0))
    figure = plots.period_map(done, peaks=read_peaks(LAYOUTS / "measured" / "nanopillar.csv"))
    stars = [
        tuple(float(v[0]) for v in line.get_data())
        for line in figure.axes[0].lines
        if line.get_marker() == "*" and len(line.get_xdata())
    ]
    assert (365.0, 640.0) in stars


def test_the_mode_profile_puts_the_field_into_the_cavity(two_mirror):
    figure = plots.mode_picture(two_mirror.design, two_mirror.solution)
    index, field = figure.axes
    depth, e2 = field.lines[0].get_data()
    assert e2.max() == pytest.approx(1.0)
    edges = (depth.max() - depth.min()) * np.array([0.0, 0.2, 0.8, 1.0]) + depth.min()
    outer = e2[(depth < edges[1]) | (depth > edges[2])]
    assert outer.max() < 0.1, "a high-Q mode lives between its mirrors"
    assert says_units(figure)
    assert index.get_xlabel() == "depth below the superstrate (µm)"


def test_the_section_of_a_patterned_mode_keeps_the_field_at_the_slab():
    design = load_design(LAYOUTS / "pcsel.toml")
    solution = solve(design, Poles(waves=25))
    kinds = [(mode.symmetry, mode.polarization) for mode in solution.modes]
    figure = plots.mode_picture(design, solution, row=kinds.index(("E", "TE-like")))
    left, right = figure.axes[:2]
    mean, height = right.lines[0].get_data()
    peak = height[np.argmax(mean)]
    assert 0.0 < peak < 220.0, (
        "TE: within grating and overlayer (the normal field of TM jumps at the substrate)"
    )
    assert mean[0] < 0.2, "a guided mode decays into the substrate, up to what it radiates"
    assert left.get_xlabel() == "x (nm), two cells"


def test_the_mirror_spectrum_has_both_mirrors_and_a_dip_at_the_mode(two_mirror):
    figure = plots.mirror_spectrum(
        two_mirror.design, two_mirror.solution, peaks=read_peaks(LAYOUTS / "measured" / "two_mirror.csv")
    )
    upper, lower = figure.axes
    front, back = (line.get_ydata() for line in upper.lines[:2])
    assert (np.asarray(back) < np.asarray(front)).all(), (
        "one pair more: the back mirror reflects more throughout its band"
    )
    wavelength, reflectance = lower.lines[0].get_data()
    dip = wavelength[np.argmin(reflectance)]
    assert dip == pytest.approx(float(two_mirror.solution.modes["wavelength_nm"][0]), abs=0.05)
    assert says_units(figure)


def test_one_mirror_alone_sees_the_cavity_in_front_and_the_outside_behind(two_mirror):
    stack = two_mirror.design.to_stack()
    assert plots.has_mirrors(stack)
    assert not plots.has_mirrors(load_design(LAYOUTS / "pcsel.toml").to_stack())
    front, back = mirror_alone(stack, "front"), mirror_alone(stack, "back")
    assert len(front.layers) == 2 + 2 * 7 + 1
    assert len(back.layers) == 2 + 2 * 8 + 1
    assert front.layers[0].material == two_mirror.design.spacer.material
    assert back.layers[0].material == two_mirror.design.film.material


def test_a_prediction_is_a_table_in_a_notebook(two_mirror):
    text = two_mirror._repr_html_()
    assert text.startswith(f"<p><b>{two_mirror.design.name}</b></p><table>")
    assert text.count("<table>") == 2
    (row,) = (part for part in text.split("<tr>") if part.startswith("<td>line</td>"))
    assert "<td>688.8</td><td>690" in row
    assert "± " in row
    assert text.endswith(f"<p>{two_mirror.solution.status.value}.</p>")
    assert dataclasses.replace(two_mirror, published=())._repr_html_().count("<table>") == 1


def test_the_gain_picture_marks_each_line_at_the_gain_that_it_needs(two_mirror):
    figure = plots.gain_picture(two_mirror)
    marks = [line.get_data() for line in figure.axes[0].lines if line.get_marker() == "o"]
    needed = two_mirror.lines.required_gain_per_cm[0]
    assert any(float(x[0]) == two_mirror.lines.wavelength_nm[0] and float(y[0]) == needed for x, y in marks)
    assert says_units(figure)


def test_published_against_predicted_draws_one_row_per_wavelength(two_mirror):
    figure = plots.published_against_predicted(two_mirror.published)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["line"]
    assert says_units(figure)
    empty = plots.published_against_predicted([])
    assert len(empty.axes[0].get_yticklabels()) == 0


def test_a_chart_of_modes_keeps_lossless_ones_apart(swept):
    modes = Modes.from_columns(
        wavelength_nm=[650.0, 640.0],
        q=[np.inf, 120.0],
        symmetry=["A1", "E"],
        polarization=["TE-like", "TM-like"],
    )
    solution = Solution(modes, Status.OK, window_nm=(600.0, 700.0))
    figure = plots.mode_picture(swept.design, solution)
    heights = dict(points(figure.axes[0]).tolist())
    assert heights[640.0] == 120.0
    assert heights[650.0] > 120.0
    assert any("∞" in text.get_text() for text in figure.axes[0].texts)


def test_a_chart_shows_amplified_modes_and_names_them(swept):
    modes = Modes.from_columns(wavelength_nm=[650.0, 640.0], q=[-300.0, -40.0], symmetry=["E", ""])
    figure = plots.mode_chart(swept.design, Solution(modes, Status.OK, window_nm=(600.0, 700.0)))
    heights = dict(points(figure.axes[0]).tolist())
    assert (heights[650.0], heights[640.0]) == (300.0, 40.0)
    assert {text.get_text() for text in figure.axes[0].texts} == {"E amplified", "amplified"}


def test_no_modes_are_a_picture_too(swept):
    solution = Solution(Modes.empty(), Status.NO_MODES, window_nm=(600.0, 700.0))
    assert plots.mode_picture(swept.design, solution).axes


def test_the_mask_preview_shows_every_layer():
    layout = build(load_mask(LAYOUTS / "masks" / "two_mirror.toml"))
    figure = plots.mask_preview(layout)
    names = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"frame", "label"} <= names
    assert figure.axes[0].get_aspect() == 1.0


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_files_are_whole_and_the_same_each_time(tmp_path, two_mirror, suffix, start):
    first, second = tmp_path / f"a.{suffix}", tmp_path / "new" / f"b.{suffix}"
    for path in (first, second):
        plots.save(plots.gain_picture(two_mirror), path)
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.name, "new"]


def test_another_ending_is_refused(tmp_path, two_mirror):
    with pytest.raises(InputError, match=r"\.png"):
        plots.save(plots.gain_picture(two_mirror), tmp_path / "a.jpg")
