"""One cavity: the field of a mode through its layers, its modes by Q, its mirrors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.families.two_mirror import TwoMirror
from cavitydesign.geometry.stack import Layer, Stack
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.report.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, styled
from cavitydesign.solvers.solution import Solution
from cavitydesign.study.peaks import Peak

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def mode_picture(design: Design, solution: Solution, *, row: int | None = None) -> Figure:
    """What a mode looks like: its field through a uniform stack, or in a section of the cell; without field, a chart.

    Only the pole solver's modes have fields; those of others are drawn by wavelength and Q, and the picture says so.
    """
    if not solution.modes.live:
        figure = mode_chart(design, solution)
        figure.supxlabel(f"the {solution.solver} solver keeps no fields: its modes by λ and Q", fontsize=8)
        return figure
    if design.to_stack().is_uniform:
        return mode_profile(design, solution, row=row)
    from cavitydesign.report.plots.section import mode_section

    return mode_section(design, solution, row=row)


def mode_profile(design: Design, solution: Solution, *, row: int | None = None) -> Figure:
    """|E|² of a mode through a uniform stack, over the index; ``row`` None takes the mode of lowest threshold."""
    low, high = solution.window_nm
    numeric = resolve_stack(design.to_stack(), window_nm=(low, high))
    modes = solution.modes
    if not len(modes):
        raise InputError("there is no mode to draw; widen the window", key="--plot")
    at = _easiest(modes["threshold_gain_per_cm"]) if row is None else row
    mode = modes[at]
    field = mode.fields(z_nm=None)
    depth = numeric.thickness_nm - field.z_nm  # from the superstrate down, as the design lists its layers
    with styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        index = np.real(np.sqrt(field.eps))
        axes.fill_between(depth * 1e-3, index, 1.0, step="mid", color="#d9dfe6", linewidth=0, zorder=1)
        axes.set(
            xlabel="depth below the superstrate (µm)",
            ylabel="refractive index n",
            ylim=(1.0, max(index) * 1.35),
        )
        axes.grid(False)
        over = axes.twinx()
        over.grid(False)
        over.plot(depth * 1e-3, field.e2 / field.e2.max(), color=BLUE, linewidth=1.4)
        over.set(ylabel="|E|² (largest = 1)", ylim=(0.0, 1.35))
        over.spines["right"].set_visible(True)
        over.yaxis.label.set_color(BLUE)
        _mark_film(axes, design.to_stack(), numeric)
        quality = "no loss" if math.isinf(mode.q) else f"Q = {mode.q:.0f}"
        axes.set_title(
            f"{design.name}\nλ = {mode.wavelength_nm:.2f} nm, {quality}, {mode.confinement:.0%} in the film"
        )
        return figure


def mode_chart(design: Design, solution: Solution) -> Figure:
    """The modes of one design by wavelength and |Q| (amplified ones say so); without loss, above all others."""
    modes = solution.modes
    with styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        q = np.array([abs(value) if math.isfinite(value) else np.nan for value in modes["q"]], dtype=float)
        top = 10.0 ** (math.ceil(math.log10(np.nanmax(q))) + 0.5) if np.isfinite(q).any() else 1e4
        height = np.where(np.isinf(modes["q"]), top, q)
        for polarization, colour in (("TE", BLUE), ("TM", ORANGE), ("", GREEN)):
            chosen = np.array(
                [
                    (str(p)[:2] if str(p)[:2] in ("TE", "TM") else "") == polarization
                    for p in modes["polarization"]
                ],
                dtype=bool,
            )
            if chosen.any():
                axes.scatter(
                    modes["wavelength_nm"][chosen],
                    height[chosen],
                    s=45,
                    color=colour,
                    label=polarization or "other",
                    zorder=3,
                )
                axes.vlines(
                    modes["wavelength_nm"][chosen],
                    1.0,
                    height[chosen],
                    color=colour,
                    linewidth=1.0,
                    alpha=0.5,
                )
        for mode, y in zip(modes, height, strict=True):
            name = f"{mode.symmetry} amplified".strip() if mode.q < 0.0 else mode.symmetry
            style = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center", "fontsize": 9}
            axes.annotate(name, (mode.wavelength_nm, y), **style)
        if np.isinf(modes["q"]).any():
            axes.axhline(top, color=GREY, linewidth=0.8, linestyle=":")
            axes.annotate(
                "no loss: Q = ∞",
                (1.0, top),
                xycoords=("axes fraction", "data"),
                xytext=(-4, 4),
                textcoords="offset points",
                ha="right",
                color=GREY,
            )
        low, high = solution.window_nm
        axes.set(
            yscale="log",
            xlim=(low, high),
            ylim=(1.0, top * 4),
            xlabel="wavelength λ (nm)",
            ylabel="quality factor Q",
            title=design.name,
        )
        if len(modes):
            axes.legend(loc="lower right", ncols=3)
        return figure


def mirror_spectrum(design: TwoMirror, solution: Solution, *, peaks: Sequence[Peak] = ()) -> Figure:
    """Reflectance of either mirror as the cavity sees it, of the whole cavity from the pump side, and its modes."""
    stack = design.to_stack()
    low, high = solution.window_nm
    wavelengths = np.linspace(low, high, 1601)
    with styled(8.4, 5.2) as figure:
        upper, lower = figure.subplots(2, 1)
        for name, colour in (("front", BLUE), ("back", ORANGE)):
            mirror = resolve_stack(mirror_alone(stack, name), window_nm=(low, high))
            reflected = spectrum(mirror, wavelength_nm=wavelengths).reflectance
            upper.semilogy(wavelengths, 1.0 - reflected, color=colour, label=f"{name} mirror")
        upper.invert_yaxis()
        upper.set(ylabel="1 - R of one mirror", title=design.name, xlim=(low, high))
        near = _near_line(solution, peaks, (low, high))
        dense = _dense(np.linspace(*near, 801), solution)
        whole = spectrum(resolve_stack(stack, window_nm=(low, high)), wavelength_nm=dense)
        lower.plot(
            whole.wavelength_nm,
            whole.reflectance,
            color=BLACK,
            linewidth=1.2,
            label="whole cavity, normal incidence",
        )
        lower.set(xlabel="wavelength λ (nm)", ylabel="reflectance R", ylim=(0.0, 1.05), xlim=near)
        for axes in (upper, lower):
            for index, wavelength in enumerate(solution.modes["wavelength_nm"]):
                axes.axvline(
                    wavelength,
                    color=GREEN,
                    linewidth=1.0,
                    alpha=0.8,
                    zorder=1,
                    label=None if index else "cavity mode",
                )
            for index, peak in enumerate(p for p in peaks if p.has_wavelength):
                label = None if index else "published line"
                axes.axvline(peak.wavelength_nm, color=RED, linewidth=1.4, linestyle="--", label=label)
            axes.legend(loc="lower left", ncols=4, framealpha=0.9, frameon=True, edgecolor="none")
        return figure


def mirror_alone(stack: Stack, name: str) -> Stack:
    """One mirror of a two-mirror stack as a wave inside the cavity meets it; ``name`` is front or back.

    The medium in front of it is that of the layer next to it, taken as a half-space and without its absorption.
    """
    inner = [
        index
        for index, layer in enumerate(stack.layers)
        if not layer.name.startswith(("front ", "back ", "superstrate", "substrate"))
    ]
    first, last = inner[0], inner[-1]
    if name == "front":
        layers, outside, beside = stack.layers[1:first][::-1], stack.layers[0], stack.layers[first]
    else:
        layers, outside, beside = stack.layers[last + 1 : -1], stack.layers[-1], stack.layers[last]
    return Stack(layers=(Layer(material=beside.material), *layers, Layer(material=outside.material)))


def _mark_film(axes: Axes, stack: Stack, numeric: NumericStack) -> None:
    """Shade the gain layers."""
    depth, labelled = 0.0, False
    for layer, made in zip(stack.layers[1:-1], numeric.layers, strict=True):
        if layer.has_gain:
            axes.axvspan(
                depth * 1e-3,
                (depth + made.thickness_nm) * 1e-3,
                color=ORANGE,
                alpha=0.35,
                linewidth=0,
                label=None if labelled else "gain film",
                zorder=2,
            )
            labelled = True
        depth += made.thickness_nm
    if labelled:
        axes.legend(loc="upper right")


def _easiest(threshold: Array) -> int:
    known = np.isfinite(threshold)
    return int(np.argmin(np.where(known, threshold, np.inf))) if known.any() else 0


def _dense(wavelengths: Array, solution: Solution) -> Array:
    """More points where a narrow line would fall between two of the grid."""
    parts = [wavelengths]
    for mode in solution.modes:
        width = mode.wavelength_nm / mode.q if math.isfinite(mode.q) and mode.q > 0 else 0.05
        parts.append(mode.wavelength_nm + width * np.linspace(-5.0, 5.0, 81))
    dense = np.unique(np.concatenate(parts))
    return dense[(dense >= wavelengths[0]) & (dense <= wavelengths[-1])]


def _near_line(solution: Solution, peaks: Sequence[Peak], window: tuple[float, float]) -> tuple[float, float]:
    """A few nm around the mode that is nearest to the published line (or to the middle of the window)."""
    modes = solution.modes["wavelength_nm"]
    wanted = next(
        (peak.wavelength_nm for peak in peaks if peak.has_wavelength), 0.5 * (window[0] + window[1])
    )
    if not len(modes):
        return window
    nearest = float(modes[np.argmin(np.abs(modes - wanted))])
    spread = min(abs(nearest - wanted), 10.0) + 1.5
    return max(window[0], nearest - spread), min(window[1], nearest + spread)
