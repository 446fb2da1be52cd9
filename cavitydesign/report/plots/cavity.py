"""One cavity: the field of a mode through its layers, its modes by Q, its mirrors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Layer, Stack
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.report.plots.modes import dense
from cavitydesign.report.plots.section import holds_gain, layers_by_height, mode_section
from cavitydesign.report.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    each_once,
    note,
    quality,
    styled,
)
from cavitydesign.solvers.solution import Mode, Modes, Solution
from cavitydesign.study.peaks import Peak

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def mode_picture(design: Design, solution: Solution, *, row: int | None = None) -> Figure:
    """What a mode looks like: its field through a uniform stack, or in a section of the cell; without field, a chart.

    Only the pole solver's modes have fields; those of others are drawn by wavelength and Q, and the picture says so.
    ``row`` None takes the bright mode of lowest threshold.
    """
    if not solution.modes.live:
        figure = mode_chart(design, solution)
        figure.supxlabel(f"the {solution.solver} solver keeps no fields: its modes by λ and Q", fontsize=8)
        return figure
    stack = design.to_stack()
    numeric = resolve_stack(stack, window_nm=solution.window_nm)
    mode = solution.modes[_easiest(solution.modes) if row is None else row]
    return (_profile if stack.is_uniform else mode_section)(design.name, numeric, mode)


def _profile(name: str, numeric: NumericStack, mode: Mode) -> Figure:
    """|E|² of a mode through a uniform stack, over the index."""
    field = mode.fields(z_nm=None)
    depth = numeric.thickness_nm - field.z_nm  # from the superstrate down, as the design lists its layers
    with styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        index = np.real(np.sqrt(field.eps))
        axes.fill_between(depth * 1e-3, index, 1.0, step="mid", color="#d9dfe6", linewidth=0, zorder=1)
        axes.set(xlabel="depth below the superstrate (µm)", ylabel="refractive index n")
        axes.set_ylim(1.0, max(index) * 1.35)
        axes.grid(False)
        over = axes.twinx()
        over.grid(False)
        over.plot(depth * 1e-3, field.e2 / field.e2.max(), color=BLUE, linewidth=1.4)
        over.set(ylabel="|E|² (largest = 1)", ylim=(0.0, 1.35))
        over.spines["right"].set_visible(True)
        over.yaxis.label.set_color(BLUE)
        _mark_film(axes, numeric)
        share = f"{mode.confinement:.0%} in the film"
        axes.set_title(f"{name}\nλ = {mode.wavelength_nm:.2f} nm, {quality(mode.q)}, {share}")
        return figure


def mode_chart(design: Design, solution: Solution) -> Figure:
    """The modes of one design by wavelength and |Q| (amplified ones say so); without loss, above all others."""
    modes = solution.modes
    q = np.abs(modes["q"])
    finite = q[np.isfinite(q)]
    top = 10.0 ** (math.ceil(math.log10(finite.max())) + 0.5) if finite.size else 1e4
    height = np.where(np.isinf(q), top, q)
    kinds = [p[:2] if p[:2] in ("TE", "TM") else "other" for p in map(str, modes["polarization"])]
    with styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        for kind, colour in (("TE", BLUE), ("TM", ORANGE), ("other", GREEN)):
            chosen = np.array([of_mode == kind for of_mode in kinds], dtype=bool)
            if chosen.any():
                x, y = modes["wavelength_nm"][chosen], height[chosen]
                axes.scatter(x, y, s=45, color=colour, label=kind, zorder=3)
                axes.vlines(x, 1.0, y, color=colour, linewidth=1.0, alpha=0.5)
        for mode, y in zip(modes, height, strict=True):
            name = f"{mode.symmetry} amplified".strip() if mode.q < 0.0 else mode.symmetry
            note(axes, name, (mode.wavelength_nm, y), shift=(0, 6), ha="center", fontsize=9)
        if np.isinf(q).any():
            axes.axhline(top, color=GREY, linewidth=0.8, linestyle=":")
            corner = {"xycoords": ("axes fraction", "data"), "ha": "right"}
            note(axes, "no loss: Q = ∞", (1.0, top), shift=(-4, 4), color=GREY, **corner)
        axes.set(yscale="log", xlim=solution.window_nm, ylim=(1.0, top * 4), title=design.name)
        axes.set(xlabel="wavelength λ (nm)", ylabel="quality factor Q")
        if len(modes):
            axes.legend(loc="lower right", ncols=3)
        return figure


def mirror_spectrum(design: Design, solution: Solution, *, peaks: Sequence[Peak] = ()) -> Figure:
    """Reflectance of either mirror as the cavity sees it, of the whole cavity from the pump side, and its modes.

    For a uniform stack that :func:`has_mirrors`.
    """
    stack, window = design.to_stack(), solution.window_nm
    wavelengths = np.linspace(*window, 1601)
    with styled(8.4, 5.2) as figure:
        upper, lower = figure.subplots(2, 1)
        for name, colour in (("front", BLUE), ("back", ORANGE)):
            mirror = resolve_stack(mirror_alone(stack, name), window_nm=window)
            reflected = spectrum(mirror, wavelength_nm=wavelengths).reflectance
            upper.semilogy(wavelengths, 1.0 - reflected, color=colour, label=f"{name} mirror")
        upper.invert_yaxis()
        upper.set(ylabel="1 - R of one mirror", title=design.name, xlim=window)
        near = _near_line(solution, peaks)
        around = dense(near, solution.modes, points=801)
        whole = spectrum(resolve_stack(stack, window_nm=window), wavelength_nm=around).reflectance
        lower.plot(around, whole, color=BLACK, linewidth=1.2, label="whole cavity, normal incidence")
        lower.set(xlabel="wavelength λ (nm)", ylabel="reflectance R", ylim=(0.0, 1.05), xlim=near)
        lines = [(x, "cavity mode", GREEN, 1.0, "-") for x in solution.modes["wavelength_nm"]]
        lines += [(p.wavelength_nm, "published line", RED, 1.4, "--") for p in peaks if p.has_wavelength]
        place = {"loc": "lower left", "ncols": 4, "framealpha": 0.9, "frameon": True, "edgecolor": "none"}
        for axes in (upper, lower):
            for x, label, colour, width, style in lines:
                axes.axvline(x, color=colour, linewidth=width, linestyle=style, zorder=1, label=label)
            axes.legend(**each_once(axes), **place)
        return figure


def has_mirrors(stack: Stack) -> bool:
    """Whether a uniform stack has layers of a front and of a back mirror, as their names say."""
    names = {layer.name.partition(" ")[0] for layer in stack.layers[1:-1]}
    return stack.is_uniform and {"front", "back"} <= names


def mirror_alone(stack: Stack, name: str) -> Stack:
    """One mirror of a two-mirror stack as a wave inside the cavity meets it; ``name`` is front or back.

    The medium in front of it is that of the layer next to it, taken as a half-space and without its absorption.
    """
    mine = [at for at, layer in enumerate(stack.layers[1:-1], 1) if layer.name.startswith(f"{name} ")]
    inside, *layers, outside = stack.layers[mine[0] - 1 : mine[-1] + 2]
    if name == "front":  # met from below
        inside, layers, outside = outside, layers[::-1], inside
    return Stack(layers=(Layer(material=inside.material), *layers, Layer(material=outside.material)))


def _mark_film(axes: Axes, numeric: NumericStack) -> None:
    """Shade the gain layers."""
    for layer, low, high in layers_by_height(numeric):
        if holds_gain(numeric, layer):
            span = ((numeric.thickness_nm - high) * 1e-3, (numeric.thickness_nm - low) * 1e-3)
            axes.axvspan(*span, color=ORANGE, alpha=0.35, linewidth=0, label="gain film", zorder=2)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**each_once(axes), loc="upper right")


def _easiest(modes: Modes) -> int:
    """The mode of lowest threshold gain among those that are not dark, else among all; else the first."""
    threshold = modes["threshold_gain_per_cm"]
    for wanted in (~modes.dark & np.isfinite(threshold), np.isfinite(threshold)):
        if wanted.any():
            return int(np.argmin(np.where(wanted, threshold, np.inf)))
    return 0


def _near_line(solution: Solution, peaks: Sequence[Peak]) -> Window:
    """A few nm around the mode that is nearest to the published line (or to the middle of the window)."""
    modes, (low, high) = solution.modes["wavelength_nm"], solution.window_nm
    if not len(modes):
        return low, high
    wanted = next((peak.wavelength_nm for peak in peaks if peak.has_wavelength), 0.5 * (low + high))
    nearest = float(modes[np.argmin(np.abs(modes - wanted))])
    spread = min(abs(nearest - wanted), 10.0) + 1.5
    return max(low, nearest - spread), min(high, nearest + spread)
