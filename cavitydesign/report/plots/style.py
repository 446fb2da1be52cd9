"""One style for all figures, and how they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.files import write_atomically

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


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as .png, .pdf or .svg, whole or not at all."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "pdf", "svg"):
        raise InputError("a figure is written to a .png, .pdf or .svg file", key="--plot", value=str(path))
    data = io.BytesIO()
    with mpl.rc_context(dict(STYLE)):
        metadata = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
        figure.savefig(data, format=kind, metadata=metadata)
    write_atomically(path, data.getvalue())
