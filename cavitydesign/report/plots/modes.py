"""Figures of resonances: near fields, far-field polarisation, spectra with their Fano lines, and convergence."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.farfield import FarField
from cavitydesign.optics.patterned.fourier import symmetry_group
from cavitydesign.optics.patterned.nearfield import Partner, mode_fields
from cavitydesign.optics.patterned.planewaves import blocks, plane_waves
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.report.plots.section import layers_by_height
from cavitydesign.report.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    each_once,
    headline,
    quality,
    styled,
)
from cavitydesign.solvers.solution import Modes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_AREA = 2  # cells shown along each lattice vector
_CLEAR = 150.0  # nm of the half-spaces shown in a section
_IMAGE = {"origin": "lower", "cmap": "magma", "vmin": 0.0, "vmax": 1.0}


def near_field(
    resonance: Resonance,
    *,
    z_nm: float | None = None,
    partner: Partner = 1,
    points: int = 121,
    title: str = "",
) -> Figure:
    """|E|² of a mode in the plane ``z_nm`` (default: middle of the first patterned layer) and in the section y = 0.

    Arrows: the real part of the in-plane E at the phase at which it is largest. White: outlines of the pattern and
    faces.
    """
    stack = resonance.problem.stack
    patterned = (0.5 * (low + high) for layer, low, high in layers_by_height(stack) if layer.inclusions)
    height = next(patterned) if z_nm is None else z_nm
    period = _periods(stack)[0]
    grid = np.linspace(-0.5 * _AREA * period, 0.5 * _AREA * period, points)
    plane = mode_fields(resonance, z_nm=height, x_nm=grid[:, None], y_nm=grid[None, :], partner=partner)
    z = np.linspace(-_CLEAR, stack.thickness_nm + _CLEAR, 161)
    section = mode_fields(resonance, z_nm=z, x_nm=grid, partner=partner)
    top = max(plane.e2.max(), section.e2[(z > 0.0) & (z < stack.thickness_nm)].max())
    with styled(9.6, 4.3) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.15))
        extent = (grid[0], grid[-1], grid[0], grid[-1])
        left.imshow(plane.e2.T / top, extent=extent, **_IMAGE)
        _arrows(left, resonance, height, period, partner)
        _outlines(left, stack, height)
        left.set(xlabel="x (nm)", ylabel="y (nm)", title=f"z = {height:.0f} nm")
        left.set(xlim=extent[:2], ylim=extent[2:])
        shown = right.imshow(section.e2 / top, extent=(*extent[:2], z[0], z[-1]), aspect="auto", **_IMAGE)
        _faces(right, stack, grid)
        right.set(xlabel="x (nm)", ylabel="z above the substrate (nm)", title="y = 0")
        bar = figure.colorbar(shown, ax=right, label="|E|² (largest in the layers = 1)", pad=0.02)
        bar.outline.set_visible(False)
        for axes in (left, right):
            axes.grid(False)
        headline(figure, title or _name(resonance))
        return figure


def far_field_polarization(field: FarField, *, title: str = "") -> Figure:
    """Polarisation ellipses over directions on the radiated intensity; blue and red: the two senses of rotation."""
    sine = np.sin(np.radians(field.angles_deg))
    scale = np.degrees(1.0) * sine[:, None]
    azimuth = np.radians(field.azimuths_deg)[None, :]
    x, y = scale * np.cos(azimuth), scale * np.sin(azimuth)
    size = 0.36 * float(np.diff(np.concatenate([[0.0], scale[:, 0]])).min())
    with styled(5.6, 4.9) as figure:
        axes = figure.subplots()
        around = np.linspace(0.0, 360.0, 145)
        relative = field.intensity / field.intensity.max()
        filled = np.array(
            [np.interp(around, field.azimuths_deg % 360.0, row, period=360.0) for row in relative]
        )
        rim_x, rim_y = scale * np.cos(np.radians(around)), scale * np.sin(np.radians(around))
        shown = axes.contourf(rim_x, rim_y, filled, levels=np.linspace(0.0, 1.0, 21), cmap="Greys")
        bar = figure.colorbar(
            shown, ax=axes, label="radiated |E|² (largest = 1)", ticks=np.linspace(0.0, 1.0, 6), pad=0.02
        )
        bar.outline.set_visible(False)
        turn = np.linspace(0.0, 2.0 * math.pi, 41)
        for i, j in np.ndindex(x.shape):
            s1, s2, s3 = field.stokes[:, i, j]
            psi, chi = 0.5 * math.atan2(s2, s1), 0.5 * math.asin(float(np.clip(s3, -1.0, 1.0)))
            upright = math.cos(chi) * np.cos(turn) + 1j * math.sin(chi) * np.sin(
                turn
            )  # x + iy, long axis along x
            ellipse = x[i, j] + 1j * y[i, j] + size * upright * np.exp(1j * psi)
            colour = ORANGE if abs(s3) < 0.1 else (RED if s3 > 0.0 else BLUE)
            axes.plot(ellipse.real, ellipse.imag, color=colour, linewidth=1.4)
        senses = field.stokes[2]
        for colour, label, present in (
            (ORANGE, "linear (|s3| < 0.1)", np.abs(senses) < 0.1),
            (RED, "counter-clockwise", senses >= 0.1),
            (BLUE, "clockwise", senses <= -0.1),
        ):
            if present.any():
                axes.plot([], [], color=colour, label=label)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
        reach = 1.12 * scale.max()
        axes.set(xlabel="sin θ cos φ × 57.3°", ylabel="sin θ sin φ × 57.3°", aspect="equal")
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
        axes.grid(False)
        headline(figure, title or f"Far field into the {field.side}")
        return figure


def fano_spectrum(
    stack: NumericStack, modes: Modes, *, window_nm: Window, waves: int = 101, title: str = ""
) -> Figure:
    """R, T and absorption at normal incidence with the poles: bright ones as bands of their width, dark ones as ticks.

    The wavelengths are dense around each bright pole, so that no line is missed, however narrow.
    """
    wavelength = dense(window_nm, modes)
    found = spectrum(stack, wavelength_nm=wavelength, waves=waves)
    with styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        for mode in modes:
            x = mode.wavelength_nm
            if math.isfinite(mode.q_up) or math.isfinite(mode.q_down):
                half = 0.5 * x / abs(mode.q)
                axes.axvspan(x - half, x + half, color=GREEN, alpha=0.18, linewidth=0)
                axes.axvline(x, color=GREEN, linewidth=1.0, label="bright pole, λ ± λ/2Q")
            else:
                axes.plot([x, x], [-0.06, -0.01], color=GREY, linewidth=1.4, label="dark pole")
        axes.plot(wavelength, found.reflectance, color=BLUE, linewidth=1.2, label="reflectance R")
        axes.plot(wavelength, found.transmittance, color=ORANGE, linewidth=1.2, label="transmittance T")
        absorbed = found.absorptance.sum(axis=0)
        if np.abs(absorbed).max() > 1e-6:
            axes.plot(wavelength, absorbed, color=PINK, linewidth=1.2, label="absorptance A")
        low = min(0.0, float(absorbed.min()))
        high = max(1.0, float(found.reflectance.max()), float(found.transmittance.max()))
        axes.set(xlabel="wavelength λ (nm)", ylabel="share of the incident power")
        axes.set(xlim=window_nm, ylim=(low - 0.08, high + 0.03))
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 5}
        axes.legend(**each_once(axes), **place, columnspacing=1.2, handlelength=1.4)
        headline(figure, title or "Spectra and poles")
        return figure


def factorisation_convergence(
    cases: Sequence[tuple[str, Resonance]],
    *,
    counts: Sequence[int] = (13, 25, 49, 97, 193),
    reference: int = 289,
) -> Figure:
    """Error of λ and of 1/Q against the number of plane waves: normal-vector factorisation and the naive rule.

    ``cases``: (name, mode). Errors are those against the normal field with ``reference`` waves.
    """
    with styled(8.4, 4.0) as figure:
        left, right = figure.subplots(1, 2)
        for (name, mode), colour in zip(cases, (BLUE, ORANGE, GREEN, PINK), strict=False):
            exact = _at_counts(mode, (reference,), "normal")[0][1]
            for rule, style in (("normal", "o-"), ("naive", "s:")):
                found = _at_counts(mode, counts, rule)
                n = np.array([count for count, _ in found])
                k0 = np.array([value for _, value in found])
                label = f"{name}, {'normal-vector field' if rule == 'normal' else 'naive (Laurent)'}"
                filled = colour if rule == "normal" else "white"
                drawn = {"color": colour, "markerfacecolor": filled, "markersize": 5, "label": label}
                d_wavelength = np.abs(units.wavelength_nm_of(k0) - units.wavelength_nm_of(exact))
                left.loglog(n, d_wavelength, style, **drawn)
                d_loss = np.abs((np.imag(k0) / np.real(k0)) / (exact.imag / exact.real) - 1.0)
                right.loglog(n, d_loss, style, **drawn)
        for axes, tolerance in ((left, 0.01), (right, 0.005)):
            label = "default tolerance of the pole solver"
            axes.axhline(tolerance, color=BLACK, linewidth=0.8, linestyle="--", label=label)
        left.set(xlabel="plane waves", ylabel="error of λ (nm)", title="Wavelength")
        right.set(xlabel="plane waves", ylabel="relative error of 1/Q", title="Loss")
        for axes in (left, right):
            axes.set_xticks(list(counts), [str(count) for count in counts])
            axes.minorticks_off()
        figure.legend(**each_once(left), loc="outside lower center", ncols=2)
        return figure


# -- details ---------------------------------------------------------------------------------------------------------


def _at_counts(mode: Resonance, counts: Sequence[int], rule: str) -> list[tuple[int, complex]]:
    """(waves, k0) of a mode at Γ with other numbers of plane waves, followed from the largest number down."""
    stack = mode.problem.stack
    lattice = stack.lattice
    group = symmetry_group(stack, bloch=(0.0, 0.0))
    found: list[tuple[int, complex]] = []
    k0 = mode.k0
    for count in sorted(counts, reverse=True):
        waves = plane_waves(lattice, bloch=(0.0, 0.0), count=count)
        block = next(
            (b for b in blocks(waves, group) if b.irrep.label == mode.problem.block.irrep.label), None
        )
        if block is None:
            raise InputError("the mode must be one at Γ", key="cases", value=mode.problem.block.irrep.label)
        there = polish(BlockProblem(stack, waves, block, factorisation=rule), k0, reach=0.1 * abs(k0))
        if there is None:
            break
        k0 = there.k0
        found.append((len(waves), k0))
    if not found:
        raise InputError("Newton's method does not reach the mode with this rule", key="cases", value=rule)
    return found[::-1]


def dense(window_nm: Window, modes: Modes, *, points: int = 241) -> Array:
    """Wavelengths over a window, with more of them where a narrow line would fall between two of the grid."""
    parts = [np.linspace(*window_nm, points)]
    for mode in modes:
        if math.isfinite(mode.q):
            half = 0.5 * mode.wavelength_nm / abs(mode.q)
            parts.append(mode.wavelength_nm + half * np.sinh(np.linspace(-3.0, 3.0, 101)))
    joined = np.unique(np.concatenate(parts))
    return joined[(joined >= window_nm[0]) & (joined <= window_nm[1])]


def _name(resonance: Resonance) -> str:
    q = math.inf if resonance.is_lossless else units.quality_factor(resonance.k0)
    label, wavelength = resonance.problem.block.irrep.label, units.wavelength_nm_of(resonance.k0)
    return f"{label}, λ = {wavelength:.2f} nm, {quality(q)}"


def _periods(stack: NumericStack) -> tuple[float, float]:
    """Width and depth of what is drawn: a cell, or of lines a square piece."""
    first, second = stack.lattice.periods_nm
    return first, second if stack.lattice.dimensions == 2 else first


def _arrows(axes: Axes, resonance: Resonance, z: float, period: float, partner: Partner) -> None:
    grid = (np.arange(11 * _AREA) + 0.5) / 11.0 * period - 0.5 * _AREA * period
    e = mode_fields(resonance, z_nm=z, x_nm=grid[:, None], y_nm=grid[None, :], partner=partner).e[:2]
    phase = 0.5 * np.angle(np.sum(e**2))  # where the real part carries most
    real = (e * np.exp(-1j * phase)).real
    real = real / np.hypot(*real).max()
    axes.quiver(grid, grid, real[0].T, real[1].T, color="#9be7ff", scale=26.0, width=0.004, pivot="mid")


def _outlines(axes: Axes, stack: NumericStack, z: float) -> None:
    """The rims of the patterns at a height, in every cell that is shown."""
    stretch = np.array([1.0, _periods(stack)[1] / stack.lattice.periods_nm[1]])  # a line's cell is 1 nm long
    layer = next((layer for layer, low, high in layers_by_height(stack) if low <= z <= high), None)
    for item in layer.inclusions if layer else ():
        corners = item.pattern.outline() * stretch
        for shift in _copies(stack.lattice.vectors_nm * stretch, _AREA):
            axes.plot(*(np.concatenate([corners, corners[:1]]) + shift).T, color="white", linewidth=0.9)


def _copies(vectors: Array, most: int) -> list[Array]:
    """Shifts (nm) of the cells of a lattice, up to ``most`` along each vector to either side."""
    around = range(-most, most + 1)
    return [i * vectors[0] + j * vectors[1] for i, j in itertools.product(around, around)]


def _faces(axes: Axes, stack: NumericStack, x: Array) -> None:
    """Faces of the layers, and the walls that the plane y = 0 cuts."""
    axes.axhline(stack.thickness_nm, color="white", linewidth=0.9)
    for layer, low, high in layers_by_height(stack):
        axes.axhline(low, color="white", linewidth=0.9)
        for item in layer.inclusions:
            walls = _crossings(item.pattern.outline(), stack.lattice.vectors_nm, x)
            axes.vlines(walls, low, high, color="white", linewidth=0.9)


def _crossings(corners: Array, vectors: Array, x: Array) -> list[float]:
    """Where the rims of a pattern and of its copies cross y = 0 within the range of x."""
    found = []
    for shift in _copies(vectors, 2 * _AREA):
        for a, b in itertools.pairwise([*(corners + shift), corners[0] + shift]):
            if (a[1] < 0.0) != (b[1] < 0.0):
                found.append(float(a[0] - a[1] * (b[0] - a[0]) / (b[1] - a[1])))
    return [at for at in found if x[0] < at < x[-1]]
