"""The field of a patterned stack's mode: a section through the cell, and its mean over the cell by height."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from cavitydesign.optics.media.numeric import NumericLayer, NumericStack
from cavitydesign.optics.patterned.fourier import centred
from cavitydesign.report.plots.style import BLUE, GREY, ORANGE, quality, styled
from cavitydesign.solvers.solution import Mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN_NM = 250.0  # of superstrate and substrate shown


def mode_section(name: str, numeric: NumericStack, mode: Mode) -> Figure:
    """|E|² of one mode over a section of two cells (mean over y), and its mean over the cell by height."""
    width, depth = numeric.lattice.periods_nm
    z = np.linspace(-_MARGIN_NM, numeric.thickness_nm + _MARGIN_NM, 161)
    x = np.linspace(-0.5, 0.5, 41) * width
    y = (np.arange(12) + 0.5) / 12.0 * depth
    e2 = mode.fields(z_nm=z, x_nm=x[:, None], y_nm=y[None, :]).e2.mean(axis=-1)
    e2 = e2 / e2.max()
    with styled(8.4, 4.6) as figure:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.5, 1.0))
        two, span = np.concatenate([e2[:, :-1], e2], axis=1), (-width, width)
        drawn = {"origin": "lower", "cmap": "magma", "interpolation": "bilinear", "aspect": "auto"}
        image = left.imshow(two, extent=(*span, z[0], z[-1]), **drawn)
        figure.colorbar(image, ax=left, label="|E|² (largest = 1)", location="left", pad=0.02)
        _outlines(left, centred(numeric), span)  # fields are drawn about the cell's symmetry centre
        left.grid(False)
        left.set(xlabel="x (nm), two cells", ylabel="height above the substrate (nm)")
        mean = e2[:, :-1].mean(axis=1)
        right.plot(mean / mean.max(), z, color=BLUE)
        _layers(right, numeric)
        right.set(xlabel="mean |E|² of the cell (largest = 1)", xlim=(0.0, 1.08))
        told = f"λ = {mode.wavelength_nm:.2f} nm, {quality(mode.q)}, {mode.confinement:.0%} in the film"
        left.set_title(f"{name}\n{mode.symmetry}, {told}")
        return figure


def layers_by_height(numeric: NumericStack) -> Iterator[tuple[NumericLayer, float, float]]:
    """Each layer between its bottom and its top (nm above the substrate), top layer first."""
    top = numeric.thickness_nm
    for layer in numeric.layers:
        yield layer, top - layer.thickness_nm, top
        top -= layer.thickness_nm


def holds_gain(numeric: NumericStack, layer: NumericLayer) -> bool:
    """Whether a layer or something included in it amplifies."""
    materials = [layer.material, *(item.material for item in layer.inclusions)]
    return any(numeric.gain[number] for number in materials)


def _outlines(axes: Axes, numeric: NumericStack, span: tuple[float, float]) -> None:
    """Interfaces, and how far each inclusion reaches along x, in every cell that is shown."""
    period = numeric.lattice.vectors_nm[0][0]
    line = {"color": "white", "linewidth": 0.6, "alpha": 0.8}
    for layer, low, high in layers_by_height(numeric):
        axes.hlines((low, high), *span, **line)
        for inclusion in layer.inclusions:
            sides = inclusion.pattern.outline()[:, 0]
            every = np.add.outer([sides.min(), sides.max()], period * np.arange(-3, 4)).ravel()
            axes.vlines(every[(every > span[0]) & (every < span[1])], low, high, **line)


def _layers(axes: Axes, numeric: NumericStack) -> None:
    """Shade what holds gain; name the layers, those of a staircase once."""
    named = ""
    for layer, low, high in layers_by_height(numeric):
        if holds_gain(numeric, layer):
            axes.axhspan(low, high, color=ORANGE, alpha=0.2, linewidth=0)
        axes.axhline(low, color=GREY, linewidth=0.5)
        name, named = "" if layer.name == named else layer.name, layer.name
        axes.annotate(name, (1.07, 0.5 * (low + high)), ha="right", va="center", fontsize=8, color=GREY)
    axes.axhline(numeric.thickness_nm, color=GREY, linewidth=0.5)
