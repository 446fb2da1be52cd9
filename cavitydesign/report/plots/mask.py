"""A mask as drawn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cavitydesign.report.plots.style import BLACK, BLUE, GREEN, ORANGE, PINK, RED, SKY, YELLOW, styled

if TYPE_CHECKING:
    from cavitydesign.masks import Layout


def mask_preview(layout: Layout, *, cell: str | None = None) -> Figure:
    """A mask as drawn: each layer in its colour; large arrays as the area that they fill."""
    from cavitydesign.masks import outlines

    found = outlines(layout, cell=cell)
    names = dict.fromkeys(outline.layer for outline in found)
    colours = itertools.cycle((BLUE, ORANGE, GREEN, RED, SKY, PINK, BLACK, YELLOW))
    with styled(6.4, 6.4) as figure:
        axes = figure.subplots()
        handles = []
        for name, colour in zip(names, colours, strict=False):
            for simplified, alpha in ((True, 0.45), (False, 0.9)):
                drawn = [o.points_um for o in found if o.layer == name and o.simplified is simplified]
                if drawn:
                    paint = {"facecolors": colour, "edgecolors": colour, "linewidths": 0.3, "alpha": alpha}
                    axes.add_collection(PolyCollection(drawn, **paint))
            handles.append(Patch(color=colour, label=name))
        axes.autoscale_view()
        axes.set(aspect="equal", xlabel="x (µm)", ylabel="y (µm)")
        axes.set_title(f"{layout.spec.title or layout.spec.name}" + (f", {cell}" if cell else ""))
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        return figure
