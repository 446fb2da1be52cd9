"""Published or measured wavelengths beside predicted ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from cavitydesign.report.plots.style import BLUE, RED, styled
from cavitydesign.study.compare import Compared
from cavitydesign.study.published import Fact


def published_against_predicted(
    found: Sequence[Compared] | Sequence[Fact], *, title: str = "Published and predicted"
) -> Figure:
    """Wavelengths, published and predicted, one row each, with the error that the assumed inputs cause."""
    rows = [row for item in found if (row := _pair(item)) is not None][::-1]
    star: dict[str, Any] = {"marker": "*", "color": RED, "linestyle": ""}
    band: dict[str, Any] = {"color": RED, "linewidth": 7, "alpha": 0.35}
    dot: dict[str, Any] = {"fmt": "o", "color": BLUE, "capsize": 3}
    with styled(8.4, 1.4 + 0.55 * max(len(rows), 1)) as figure:
        axes = figure.subplots()
        for y, (_, published, predicted, error) in enumerate(rows):
            if isinstance(published, tuple):
                axes.plot(published, (y, y), solid_capstyle="butt", **band)
            else:
                axes.plot(published, y, markersize=13, zorder=4, **star)
            if predicted is not None:
                axes.errorbar(predicted, y, xerr=error, elinewidth=1.2, zorder=5, **dot)
        axes.plot([], [], markersize=11, label="published", **star)
        axes.plot([], [], label="published range", **band)
        axes.errorbar([], [], xerr=[], label="predicted, ± of the assumed inputs", **dot)
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        axes.set(xlabel="wavelength λ (nm)", ylim=(-0.6, len(rows) - 0.4), title=title)
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside lower center", ncols=3)
        return figure


def _pair(item: Compared | Fact) -> tuple[str, Any, float | None, float | None] | None:
    """(label, published, predicted, error) of a row that is a wavelength."""
    if isinstance(item, Compared):
        predicted = item.line.wavelength_nm if item.line else None
        names = [
            item.peak.texts.get("transition"),
            *(f"{path.rpartition('.')[2]} {value:g}" for path, value in item.device.items()),
        ]
        return ", ".join(filter(None, names)) or "line", item.peak.wavelength_nm, predicted, None
    if not item.is_wavelength:
        return None
    device = [f"Λ = {value:g} nm" for path, value in item.device.items() if path == "lattice.period_nm"]
    device += ["Λ not stated"] if "lattice.period_nm" in item.unstated else []
    return ", ".join([item.quantity, *device]), item.published, item.predicted, item.predicted_err
