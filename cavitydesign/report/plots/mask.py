"""A mask as drawn."""

from __future__ import annotations

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
    names = list(dict.fromkeys(outline.layer for outline in found))
    colours = (BLUE, ORANGE, GREEN, RED, SKY, PINK, BLACK, YELLOW)
    with styled(6.4, 6.4) as figure:
        axes = figure.subplots()
        handles = []
        for index, name in enumerate(names):
            colour = colours[index % len(colours)]
            for simplified in (True, False):
                polygons = [
                    item.points_um for item in found if item.layer == name and item.simplified is simplified
                ]
                if polygons:
                    alpha = 0.45 if simplified else 0.9
                    axes.add_collection(
                        PolyCollection(
                            polygons, facecolors=colour, edgecolors=colour, linewidths=0.3, alpha=alpha
                        )
                    )
            handles.append(Patch(color=colour, label=name))
        axes.autoscale_view()
        axes.set(aspect="equal", xlabel="x (µm)", ylabel="y (µm)")
        axes.set_title(f"{layout.spec.title or layout.spec.name}" + (f", {cell}" if cell else ""))
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        return figure
