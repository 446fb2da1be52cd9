"""Maps: what the modes do while one number of the design varies, with the gain beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.gain import gain_spectrum
from cavitydesign.geometry.emitter import Emitter
from cavitydesign.kinds import Array
from cavitydesign.report.plots.gain import PAIRS, transition_marks
from cavitydesign.report.plots.style import BLACK, BLUE, GREY, RED, TRANSITION_COLOURS, styled
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
    groups = _map_points(swept, axis.path)
    with styled(8.4, 5.0) as figure:
        main, side = figure.subplots(1, 2, sharey=True, width_ratios=(3.6, 1.0))
        never, dark, lasing = groups["never"], groups["dark"], groups["lasing"]
        if len(never):
            main.scatter(never[:, 0], never[:, 1], s=5, color="#c4c4c4", label="no threshold", linewidths=0)
        if len(dark):
            main.scatter(
                dark[:, 0],
                dark[:, 1],
                s=11,
                facecolors="none",
                edgecolors=GREY,
                linewidths=0.6,
                label="dark (next to no radiation)",
            )
        shown = main.scatter(
            lasing[:, 0],
            lasing[:, 1],
            s=15,
            c=lasing[:, 2],
            cmap="viridis_r",
            norm=_norm(lasing[:, 2]),
            linewidths=0,
        )
        if len(lasing):
            bar = figure.colorbar(shown, ax=side, label="⟨N⟩ at threshold (pairs per shell)", pad=0.02)
            bar.outline.set_visible(False)
            _plain_ticks(bar.ax, lasing[:, 2])
        low, high = _window(swept)
        _draw_peaks(main, peaks, axis.path, (min(axis.values), max(axis.values)))
        main.set(
            xlabel=_axis_label(axis.path),
            ylabel="wavelength λ (nm)",
            ylim=(low, high),
            title=title or swept.design.name,
        )
        if len(never) or len(dark) or peaks:
            figure.legend(loc="outside lower center", ncols=3, handletextpad=0.4)
        emitter = swept.design.emitter or Emitter()
        _gain_beside(side, emitter, low, high)
        return figure


def _map_points(swept: Sweep, path: str) -> dict[str, Array]:
    """(x, λ, ⟨N⟩) of every mode, by what its threshold is like."""
    solved = [
        (point, outcome.modes)
        for point, outcome in zip(swept.points, swept.outcomes, strict=True)
        if isinstance(outcome, Solution) and len(outcome.modes)
    ]
    groups: dict[str, list[tuple[float, float, float]]] = {"never": [], "dark": [], "lasing": []}
    found = mode_thresholds(
        [(swept.design.with_values(dict(point.values)), modes) for point, modes in solved]
    )
    for (point, modes), thresholds in zip(solved, found, strict=True):
        for row, wavelength in enumerate(modes["wavelength_nm"].tolist()):
            kind = "dark" if thresholds.dark[row] else "lasing" if thresholds.lasing[row] else "never"
            groups[kind].append((point.values[path], wavelength, float(thresholds.pairs_per_shell[row])))
    return {name: np.array(rows, dtype=float).reshape(-1, 3) for name, rows in groups.items()}


def _norm(values: Array) -> LogNorm | None:
    if not len(values):
        return None
    low, high = float(np.min(values)), float(np.max(values))
    return LogNorm(low, high if high > 1.05 * low else 1.05 * low)


def _plain_ticks(axes: Axes, values: Array) -> None:
    """⟨N⟩ as 1.5, 2, 3 … rather than as powers of ten."""
    low, high = float(values.min()), float(values.max())
    ticks = [
        t
        for t in (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
        if low <= t <= max(high, 1.05 * low)
    ]
    axes.set_yticks(ticks or [low], [f"{t:g}" for t in ticks] or [f"{low:.3g}"])
    axes.minorticks_off()


def _window(swept: Sweep) -> tuple[float, float]:
    found = next(outcome for outcome in swept.outcomes if isinstance(outcome, Solution))
    low, high = found.window_nm
    return float(low), float(high)


def _draw_peaks(axes: Axes, peaks: Sequence[Peak], path: str, span: tuple[float, float]) -> None:
    labelled: set[str] = set()

    def once(label: str) -> str | None:
        return None if label in labelled else (labelled.add(label) or label)

    for peak in peaks:
        name = peak.texts.get("transition", "")
        x = peak.device.get(path)
        if peak.has_wavelength and x is not None:
            assigned = peak.texts.get("period_is") == "assigned"
            label = once("published line, device assigned" if assigned else "published line")
            axes.plot(
                x,
                peak.wavelength_nm,
                "*",
                color=RED,
                markersize=14,
                markeredgecolor="white",
                linestyle="",
                label=label,
                zorder=6,
            )
            axes.annotate(
                name,
                (x, peak.wavelength_nm),
                xytext=(7, -11),
                textcoords="offset points",
                color=RED,
                zorder=7,
            )
        elif peak.has_wavelength:
            axes.axhline(
                peak.wavelength_nm,
                color=RED,
                linewidth=1.0,
                linestyle="--",
                label=once("published line, device not stated"),
                zorder=2,
            )
            axes.annotate(
                name,
                (span[1], peak.wavelength_nm),
                xytext=(0, 3),
                textcoords="offset points",
                color=RED,
                ha="right",
            )
        if math.isfinite(peak["wavelength_from_nm"]):
            axes.axhspan(
                peak["wavelength_from_nm"],
                peak["wavelength_to_nm"],
                color=RED,
                alpha=0.10,
                linewidth=0,
                label=once("published range"),
                zorder=0,
            )


def _gain_beside(axes: Axes, emitter: Emitter, low: float, high: float) -> None:
    wavelengths = np.linspace(low, high, 301)
    gains = gain_spectrum(emitter, wavelengths, np.array(PAIRS)) * 1e-3
    for pairs, gain, shade in zip(PAIRS, gains, np.linspace(0.35, 1.0, len(PAIRS)), strict=True):
        axes.plot(gain, wavelengths, color=BLUE, alpha=shade, linewidth=1.2)
        if gain.max() > 0.0 and pairs in (PAIRS[1], PAIRS[-1]):
            at = int(gain.argmax())
            axes.annotate(
                f"⟨N⟩ = {pairs:g}",
                (gain[at], wavelengths[at]),
                xytext=(3, 0),
                textcoords="offset points",
                fontsize=8,
                color=BLUE,
                va="center",
            )
    axes.axvline(0.0, color=BLACK, linewidth=0.8)
    top = max(float(gains.max()), 1e-3)
    axes.set(xlim=(-0.35 * top, 1.7 * top), xlabel="gain g (10³/cm)", title=f"{emitter.temperature_k:g} K")
    transition_marks(
        emitter,
        low,
        high,
        lambda x, name: axes.annotate(
            name,
            (0.02, x),
            xycoords=("axes fraction", "data"),
            fontsize=8,
            color=TRANSITION_COLOURS[name],
            va="center",
        ),
    )


def _axis_label(path: str) -> str:
    names = {"lattice.period_nm": "period Λ (nm)"}
    if path in names:
        return names[path]
    name = path.rpartition(".")[2]
    return f"{path.removesuffix('_nm')} (nm)" if name.endswith("_nm") else path
