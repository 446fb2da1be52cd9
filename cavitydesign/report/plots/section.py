"""The field of a patterned stack's mode: a section through the cell, and its mean over the cell by height."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.report.plots.style import BLUE, GREY, ORANGE, styled
from cavitydesign.solvers.solution import Modes, Solution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN_NM = 250.0  # of superstrate and substrate shown


def mode_section(design: Design, solution: Solution, *, row: int | None = None) -> Figure:
    """|E|² of one mode over a section of two cells (mean over y), and its mean over the cell by height.

    ``row`` None takes the bright mode of lowest threshold.
    """
    modes = solution.modes
    if not len(modes):
        raise InputError("there is no mode to draw; widen the window", key="--plot")
    at = _easiest_bright(modes) if row is None else row
    mode = modes[at]
    numeric = resolve_stack(design.to_stack(), window_nm=solution.window_nm)
    lattice = numeric.lattice
    width, depth = lattice.periods_nm
    height = numeric.thickness_nm
    z = np.linspace(-_MARGIN_NM, height + _MARGIN_NM, 161)
    x = np.linspace(-0.5, 0.5, 41) * width
    y = (np.arange(12) + 0.5) / 12.0 * depth
    e2 = mode.fields(z_nm=z, x_nm=x[:, None], y_nm=y[None, :]).e2.mean(axis=-1)
    e2 = e2 / e2.max()
    with styled(8.4, 4.6) as figure:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.5, 1.0))
        two = np.concatenate([e2[:, :-1], e2], axis=1)
        span = (-width, width)
        image = left.imshow(
            two,
            origin="lower",
            extent=(*span, z[0], z[-1]),
            aspect="auto",
            cmap="magma",
            interpolation="bilinear",
        )
        figure.colorbar(image, ax=left, label="|E|² (largest = 1)", location="left", pad=0.02)
        _outlines(left, numeric, span)
        left.grid(False)
        left.set(xlabel="x (nm), two cells", ylabel="height above the substrate (nm)")
        mean = e2[:, :-1].mean(axis=1)
        right.plot(mean / mean.max(), z, color=BLUE)
        _layers(right, numeric)
        right.set(xlabel="mean |E|² of the cell (largest = 1)", xlim=(0.0, 1.08))
        quality = "no loss" if math.isinf(mode.q) else f"Q = {mode.q:.0f}"
        share = f"{mode.confinement:.0%} in the film"
        left.set_title(f"{design.name}\n{mode.symmetry}, λ = {mode.wavelength_nm:.2f} nm, {quality}, {share}")
        return figure


def _easiest_bright(modes: Modes) -> int:
    """The mode of lowest threshold gain among those that are not dark; else the first."""
    threshold = modes["threshold_gain_per_cm"]
    bright = ~modes.dark & np.isfinite(threshold)
    return int(np.argmin(np.where(bright, threshold, np.inf))) if bright.any() else 0


def _layer_edges(numeric: NumericStack) -> list[tuple[float, float]]:
    """(bottom, top) of each layer above the substrate, top layer first."""
    top, edges = numeric.thickness_nm, []
    for layer in numeric.layers:
        edges.append((top - layer.thickness_nm, top))
        top -= layer.thickness_nm
    return edges


def _outlines(axes: Axes, numeric: NumericStack, span: tuple[float, float]) -> None:
    """Interfaces, and the sides of each inclusion where the section cuts it."""
    width = numeric.lattice.periods_nm[0]
    for layer, (low, high) in zip(numeric.layers, _layer_edges(numeric), strict=True):
        axes.hlines((low, high), *span, color="white", linewidth=0.6, alpha=0.8)
        for inclusion in layer.inclusions:
            outline = inclusion.pattern.outline()[:, 0]
            outline = outline - 0.5 * (
                outline.min() + outline.max()
            )  # fields are drawn about the cell's symmetry centre
            for shift in (-0.5 * width, 0.5 * width):
                sides = (outline.min() + shift, outline.max() + shift)
                axes.vlines(sides, low, high, color="white", linewidth=0.6, alpha=0.8)


def _layers(axes: Axes, numeric: NumericStack) -> None:
    """Shade what holds gain; name the layers."""
    for layer, (low, high) in zip(numeric.layers, _layer_edges(numeric), strict=True):
        materials = {layer.material, *(inclusion.material for inclusion in layer.inclusions)}
        if any(numeric.gain[number] for number in materials):
            axes.axhspan(low, high, color=ORANGE, alpha=0.2, linewidth=0)
        axes.axhline(low, color=GREY, linewidth=0.5)
        axes.annotate(layer.name, (1.07, 0.5 * (low + high)), ha="right", va="center", fontsize=8, color=GREY)
    axes.axhline(numeric.thickness_nm, color=GREY, linewidth=0.5)
