"""Maps: what the modes do while one number of the design varies, with the gain beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.geometry.emitter import Emitter
from cavitydesign.kinds import Array
from cavitydesign.report.plots.gain import gain_curves
from cavitydesign.report.plots.style import GREY, RED, each_once, note, styled
from cavitydesign.solvers.solution import Solution
from cavitydesign.study.peaks import Peak
from cavitydesign.study.predict import mode_thresholds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cavitydesign.study.sweep import Sweep


def period_map(swept: Sweep, *, peaks: Sequence[Peak] = (), title: str | None = None) -> Figure:
    """Mode wavelengths over one varied number, the gain spectrum along the wavelength axis, published points on it.

    Filled: a line with a threshold, coloured by ⟨N⟩ at threshold. Open: dark (an infinite array gives it no radiation
    loss). Small and grey: never reaches threshold. Stars: published with their device; bands: published as a range.
    """
    if not swept.axes:
        raise InputError("a map needs a varied number", key="--vary")
    axis = swept.axes[-1]
    groups = map_points(swept, axis.path)
    window = next(outcome for outcome in swept.outcomes if isinstance(outcome, Solution)).window_nm
    with styled(8.4, 5.0) as figure:
        main, side = figure.subplots(1, 2, sharey=True, width_ratios=(3.6, 1.0))
        never, dark, lasing = groups["never"], groups["dark"], groups["lasing"]
        if len(never):
            main.scatter(*never.T[:2], s=5, color="#c4c4c4", label="no threshold", linewidths=0)
        if len(dark):
            ring = {"facecolors": "none", "edgecolors": GREY, "linewidths": 0.6}
            main.scatter(*dark.T[:2], s=11, label="dark (next to no radiation)", **ring)
        if len(lasing):
            x, wavelengths, pairs = lasing.T
            scale = LogNorm(pairs.min(), max(pairs.max(), 1.05 * pairs.min()))
            shown = main.scatter(x, wavelengths, s=15, c=pairs, cmap="viridis_r", norm=scale, linewidths=0)
            bar = figure.colorbar(shown, ax=side, label="⟨N⟩ at threshold (pairs per shell)", pad=0.02)
            bar.outline.set_visible(False)
            _plain_ticks(bar.ax, pairs)
        _draw_peaks(main, peaks, axis.path, max(axis.values))
        main.set(xlabel=_axis_label(axis.path), ylabel="wavelength λ (nm)", ylim=window)
        main.set_title(title or swept.design.name)
        if len(never) or len(dark) or peaks:
            figure.legend(**each_once(main), loc="outside lower center", ncols=3, handletextpad=0.4)
        emitter = swept.design.emitter or Emitter()
        gain_curves(side, emitter, window, upright=True)
        side.set(xlabel="gain g (10³/cm)", title=f"{emitter.temperature_k:g} K")
        return figure


def map_points(swept: Sweep, path: str) -> dict[str, Array]:
    """(x, λ, ⟨N⟩) of every mode, by what its threshold is like: "never", "dark" or "lasing"."""
    solved = [
        (point, outcome.modes)
        for point, outcome in zip(swept.points, swept.outcomes, strict=True)
        if isinstance(outcome, Solution) and len(outcome.modes)
    ]
    groups: dict[str, list[tuple[float, float, float]]] = {"never": [], "dark": [], "lasing": []}
    found = mode_thresholds([(swept.design.with_values(point.values), modes) for point, modes in solved])
    for (point, modes), thresholds in zip(solved, found, strict=True):
        for row, wavelength in enumerate(modes["wavelength_nm"].tolist()):
            kind = "dark" if thresholds.dark[row] else "lasing" if thresholds.lasing[row] else "never"
            groups[kind].append((point.values[path], wavelength, float(thresholds.pairs_per_shell[row])))
    return {name: np.array(rows, dtype=float).reshape(-1, 3) for name, rows in groups.items()}


def _plain_ticks(axes: Axes, values: Array) -> None:
    """⟨N⟩ as 1.5, 2, 3 … rather than as powers of ten."""
    low, high = float(values.min()), float(values.max())
    round_ones = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
    ticks = [tick for tick in round_ones if low <= tick <= max(high, 1.05 * low)]
    axes.set_yticks(ticks or [low], [f"{t:g}" for t in ticks] or [f"{low:.3g}"])
    axes.minorticks_off()


def _draw_peaks(axes: Axes, peaks: Sequence[Peak], path: str, right: float) -> None:
    """Published peaks; the names of those without a device stand at the ``right`` end of the map."""
    for peak in peaks:
        name, y = peak.texts.get("transition", ""), peak.wavelength_nm
        x = peak.device.get(path)
        if peak.has_wavelength and x is not None:
            assigned = ", device assigned" if peak.texts.get("period_is") == "assigned" else ""
            star = {"color": RED, "markersize": 14, "markeredgecolor": "white", "linestyle": ""}
            axes.plot(x, y, "*", label=f"published line{assigned}", zorder=6, **star)
            note(axes, name, (x, y), shift=(7, -11), color=RED, zorder=7)
        elif peak.has_wavelength:
            label = "published line, device not stated"
            axes.axhline(y, color=RED, linewidth=1.0, linestyle="--", label=label, zorder=2)
            note(axes, name, (right, y), shift=(0, 3), color=RED, ha="right")
        low, high = peak["wavelength_from_nm"], peak["wavelength_to_nm"]
        if math.isfinite(low):
            axes.axhspan(low, high, color=RED, alpha=0.10, linewidth=0, label="published range", zorder=0)


def _axis_label(path: str) -> str:
    names = {"lattice.period_nm": "period Λ (nm)"}
    if path in names:
        return names[path]
    name = path.rpartition(".")[2]
    return f"{path.removesuffix('_nm')} (nm)" if name.endswith("_nm") else path
