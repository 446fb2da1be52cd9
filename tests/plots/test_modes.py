"""Figures of modes: they show what was computed, whole and with units."""

from functools import cache

import numpy as np
import pytest
from matplotlib.figure import Figure

from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.climb import resonances
from cavitydesign.optics.patterned.farfield import FarField
from cavitydesign.optics.patterned.resonance import Resonance
from cavitydesign.report.plots import save
from cavitydesign.report.plots.modes import (
    factorisation_convergence,
    fano_spectrum,
    far_field_polarization,
    near_field,
)
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles

WINDOW = (580.0, 640.0)


def design():
    hole = {"shape": "circle", "radius_nm": 110.0, "material": {"n": 1.6}}
    slab = {"material": {"n": 2.0}, "thickness_nm": 200.0, "inclusions": [hole]}
    lattice = {"kind": "square", "period_nm": 360.0}
    layers = [{"material": {"n": 1.0}}, slab, {"material": {"n": 1.46}}]
    return design_from_dict({"name": "cell", "family": "stack", "lattice": lattice, "layers": layers})


@cache
def bright() -> Resonance:
    stack = resolve_stack(design().to_stack(), window_nm=WINDOW)
    found = resonances(stack, Poles(waves=25), window_nm=WINDOW)
    return next(mode.resonance for mode in found.modes if mode.symmetry == "E")


def labels(figure: Figure) -> set[str]:
    return {text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())}


def test_near_field_shows_both_planes_on_one_scale(tmp_path) -> None:
    figure = near_field(bright(), points=31)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 2
    assert all(image.get_clim() == (0.0, 1.0) for image in images)
    largest = [float(np.max(np.asarray(image.get_array()))) for image in images]
    assert max(largest) == pytest.approx(1.0)
    assert {"x (nm)", "y (nm)", "z above the substrate (nm)"} <= labels(figure)
    save(figure, tmp_path / "field.png")
    assert (tmp_path / "field.png").stat().st_size > 10_000


def test_far_field_draws_an_ellipse_for_each_direction() -> None:
    angles, azimuths = np.array([0.5, 1.0]), np.array([0.0, 90.0, 180.0, 270.0])
    shape = (2, 4)
    stokes = np.array([np.zeros(shape), np.zeros(shape), np.ones(shape)])
    field = FarField(
        "superstrate",
        angles,
        azimuths,
        np.full(shape, 0.01 - 1e-5j),
        np.ones(shape),
        1j * np.ones(shape),
        stokes,
    )
    figure = far_field_polarization(field)
    axes = figure.axes[0]
    assert sum(len(np.asarray(line.get_xdata())) > 0 for line in axes.lines) == 8
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["counter-clockwise"]


def test_spectrum_marks_every_pole_and_resolves_every_line() -> None:
    subject = design()
    modes = solve(subject, Poles(waves=25), window_nm=WINDOW).modes
    figure = fano_spectrum(
        resolve_stack(subject.to_stack(), window_nm=WINDOW), modes, window_nm=WINDOW, waves=25
    )
    axes = figure.axes[0]
    curves = [line for line in axes.lines if len(np.asarray(line.get_xdata())) > 100]
    marks = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == 2]
    assert len(marks) == len(modes)
    reflectance, transmittance = (np.asarray(line.get_ydata(), dtype=float) for line in curves)
    assert np.abs(reflectance + transmittance - 1.0).max() < 1e-10
    assert reflectance.max() > 0.99  # a lossless Fano line reaches one


def test_convergence_shows_the_normal_field_below_the_naive_rule() -> None:
    figure = factorisation_convergence([("holes", bright())], counts=(25, 97), reference=193)
    for axes in figure.axes:  # wavelength, loss
        normal, naive = (np.asarray(line.get_ydata(), dtype=float) for line in axes.lines[:2])
        assert normal[-1] < 0.5 * naive[-1]
    assert {"plane waves", "error of λ (nm)", "relative error of 1/Q"} <= labels(figure)
