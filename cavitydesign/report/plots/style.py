"""One style for all figures, and how they are written."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito, Color Universal Design (2008)
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#8a8a8a"
TRANSITION_COLOURS = {"X": RED, "XX": ORANGE, "MX": BLUE}
STYLE: Mapping[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.6,
    "savefig.dpi": 160,
    "figure.dpi": 160,
    "svg.hashsalt": "cavitydesign",
}


@contextmanager
def styled(width: float, height: float) -> Iterator[Figure]:
    """A new figure of this size in inches, drawn in the style."""
    with mpl.rc_context(dict(STYLE)):
        yield Figure(figsize=(width, height), layout="constrained")


def headline(figure: Figure, text: str) -> None:
    """What a figure of several panels shows, above all of them."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=11, fontweight="bold")


def note(
    axes: Axes, text: str, at: tuple[float, float], *, shift: tuple[float, float] = (0, 0), **style: Any
) -> None:
    """Words beside a place, ``shift`` points away from it."""
    axes.annotate(text, at, xytext=shift, textcoords="offset points", **style)


def each_once(axes: Axes) -> dict[str, Any]:
    """What a legend is made of, with each label once however often it was drawn."""
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    return {"handles": list(unique.values()), "labels": list(unique)}


def quality(q: float) -> str:
    """A Q in a title."""
    return f"Q = {q:.0f}" if math.isfinite(q) else "no loss"


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as .png, .pdf or .svg, whole or not at all."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    undated = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    if kind not in undated:
        raise InputError("a figure is written to a .png, .pdf or .svg file", key="--plot", value=str(path))
    data = io.BytesIO()
    with mpl.rc_context(dict(STYLE)):
        figure.savefig(data, format=kind, metadata=undated[kind])
    write_atomically(path, data.getvalue())
