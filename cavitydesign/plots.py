"""Figures for a talk: every axis with its unit, colours that colour-blind people tell apart, nothing drawn twice.

Every function returns a matplotlib Figure and shows nothing; :func:`save` writes it whole or not at all. A leaf: nothing
inside the package imports it, and matplotlib is imported nowhere else.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from cavitydesign.errors import InputError
from cavitydesign.gain import gain_spectrum, transition_energies_ev
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.emitter import Emitter
from cavitydesign.geometry.stack import Layer, Stack
from cavitydesign.geometry.two_mirror import TwoMirror
from cavitydesign.optics.multilayer import field_profile, spectrum
from cavitydesign.optics.numeric import resolve_stack
from cavitydesign.solvers.base import Solution
from cavitydesign.study.measured import Compared, Peak
from cavitydesign.study.predict import mode_thresholds
from cavitydesign.units import ev_to_nm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cavitydesign.masks import Layout
    from cavitydesign.study.predict import Prediction
    from cavitydesign.study.sweep import Sweep

Array = np.ndarray[Any, np.dtype[Any]]

# Okabe and Ito, Color Universal Design (2008)
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#8a8a8a"
TRANSITION_COLOURS = {"X": RED, "XX": ORANGE, "MX": BLUE}
STYLE: Mapping[str, Any] = {
    "font.family": "sans-serif", "font.size": 10.0, "axes.titlesize": 11.0, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": "#e6e6e6", "grid.linewidth": 0.6, "legend.frameon": False, "legend.fontsize": 9.0, "lines.linewidth": 1.6,
    "savefig.dpi": 160, "figure.dpi": 160, "svg.hashsalt": "cavitydesign",
}  # fmt: skip
PAIRS = (1.0, 1.4, 2.0, 3.0, 4.0)
"""Mean pairs per shell ⟨N⟩ that gain spectra are drawn at."""


@contextmanager
def _styled(width: float, height: float) -> Iterator[Figure]:
    with mpl.rc_context(dict(STYLE)):
        yield Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as .png, .pdf or .svg, whole or not at all."""
    from cavitydesign.study.store import write_atomically

    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "pdf", "svg"):
        raise InputError("a figure is written to a .png, .pdf or .svg file", key="--plot", value=str(path))
    data = io.BytesIO()
    with mpl.rc_context(dict(STYLE)):
        metadata = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}[kind]
        figure.savefig(data, format=kind, metadata=metadata)
    write_atomically(path, data.getvalue())


def period_map(swept: Sweep, *, peaks: Sequence[Peak] = (), title: str | None = None) -> Figure:
    """Mode wavelengths over one varied number, the gain spectrum along the wavelength axis, published points on it.

    Filled: a line with a threshold, coloured by ⟨N⟩ at threshold. Open: dark (an infinite array gives it no radiation
    loss). Small and grey: never reaches threshold. Stars: published with their device; bands: published as a range.
    """
    if not swept.axes:
        raise InputError("a map needs a varied number", key="--vary")
    axis = swept.axes[-1]
    groups = _map_points(swept, axis.path)
    with _styled(8.4, 5.0) as figure:
        main, side = figure.subplots(1, 2, sharey=True, width_ratios=(3.6, 1.0))
        never, dark, lasing = groups["never"], groups["dark"], groups["lasing"]
        if len(never):
            main.scatter(never[:, 0], never[:, 1], s=5, color="#c4c4c4", label="no threshold", linewidths=0)
        if len(dark):
            main.scatter(dark[:, 0], dark[:, 1], s=11, facecolors="none", edgecolors=GREY, linewidths=0.6, label="dark (next to no radiation)")
        shown = main.scatter(lasing[:, 0], lasing[:, 1], s=15, c=lasing[:, 2], cmap="viridis_r", norm=_norm(lasing[:, 2]), linewidths=0)
        if len(lasing):
            bar = figure.colorbar(shown, ax=side, label="⟨N⟩ at threshold (pairs per shell)", pad=0.02)
            bar.outline.set_visible(False)
            _plain_ticks(bar.ax, lasing[:, 2])
        low, high = _window(swept)
        _draw_peaks(main, peaks, axis.path, (min(axis.values), max(axis.values)))
        main.set(xlabel=_axis_label(axis.path), ylabel="wavelength λ (nm)", ylim=(low, high), title=title or swept.design.name)
        if len(never) or len(dark) or peaks:
            figure.legend(loc="outside lower center", ncols=3, handletextpad=0.4)
        emitter = swept.design.emitter or Emitter()
        _gain_beside(side, emitter, low, high)
        return figure


def mode_picture(design: Design, solution: Solution, *, row: int | None = None) -> Figure:
    """What a table of modes looks like: the field through a uniform stack, else the modes by λ and Q."""
    stack = design.to_stack()
    if stack.is_uniform and len(solution.modes):
        return mode_profile(design, solution, row=row)
    return mode_chart(design, solution)


def mode_profile(design: Design, solution: Solution, *, row: int | None = None) -> Figure:
    """|E|² of one mode through a uniform stack over the index profile; ``row`` None takes the mode of lowest threshold."""
    low, high = solution.provenance["window_nm"]
    numeric = resolve_stack(design.to_stack(), window_nm=(low, high))
    modes = solution.modes
    if not len(modes):
        raise InputError("there is no mode to draw; widen the window", key="--plot")
    at = _easiest(modes["threshold_gain_per_cm"]) if row is None else row
    mode = modes.row(at)
    polarization = "TM" if mode["polarization"] == "TM" else "TE"
    n_eff = 0.0 if math.isnan(mode["n_eff"]) else mode["n_eff"]
    field = field_profile(numeric, mode["k0_per_nm"], u=n_eff, polarization=polarization)
    depth = numeric.thickness_nm - field.z_nm  # from the superstrate down, as the design lists its layers
    with _styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        index = np.sqrt(field.eps).real
        axes.fill_between(depth * 1e-3, index, 1.0, step="mid", color="#d9dfe6", linewidth=0, zorder=1)
        axes.set(xlabel="depth below the superstrate (µm)", ylabel="refractive index n", ylim=(1.0, max(index) * 1.35))
        axes.grid(False)
        over = axes.twinx()
        over.grid(False)
        over.plot(depth * 1e-3, field.e2 / field.e2.max(), color=BLUE, linewidth=1.4)
        over.set(ylabel="|E|² (largest = 1)", ylim=(0.0, 1.35))
        over.spines["right"].set_visible(True)
        over.yaxis.label.set_color(BLUE)
        _mark_film(axes, design.to_stack(), numeric)
        quality = "no loss" if math.isinf(mode["q"]) else f"Q = {mode['q']:.0f}"
        axes.set_title(f"{design.name}\nλ = {mode['wavelength_nm']:.2f} nm, {quality}, {mode['confinement']:.0%} in the film")
        return figure


def mode_chart(design: Design, solution: Solution) -> Figure:
    """The modes of one design by wavelength and Q; without loss, they stand on a line above all others."""
    modes = solution.modes
    with _styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        q = np.array([value if math.isfinite(value) else np.nan for value in modes["q"]], dtype=float)
        top = 10.0 ** (math.ceil(math.log10(np.nanmax(q))) + 0.5) if np.isfinite(q).any() else 1e4
        height = np.where(np.isinf(modes["q"]), top, q)
        for polarization, colour in (("TE", BLUE), ("TM", ORANGE), ("", GREEN)):
            chosen = np.array([(str(p)[:2] if str(p)[:2] in ("TE", "TM") else "") == polarization for p in modes["polarization"]], dtype=bool)
            if chosen.any():
                axes.scatter(modes["wavelength_nm"][chosen], height[chosen], s=45, color=colour, label=polarization or "other", zorder=3)
                axes.vlines(modes["wavelength_nm"][chosen], 1.0, height[chosen], color=colour, linewidth=1.0, alpha=0.5)
        for x, y, name in zip(modes["wavelength_nm"], height, modes["symmetry"], strict=True):
            axes.annotate(str(name), (x, y), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=9)
        if np.isinf(modes["q"]).any():
            axes.axhline(top, color=GREY, linewidth=0.8, linestyle=":")
            axes.annotate("no loss: Q = ∞", (1.0, top), xycoords=("axes fraction", "data"), xytext=(-4, 4), textcoords="offset points", ha="right", color=GREY)  # fmt: skip
        low, high = solution.provenance["window_nm"]
        axes.set(yscale="log", xlim=(low, high), ylim=(1.0, top * 4), xlabel="wavelength λ (nm)", ylabel="quality factor Q", title=design.name)
        if len(modes):
            axes.legend(loc="lower right", ncols=3)
        return figure


def mirror_spectrum(design: TwoMirror, solution: Solution, *, peaks: Sequence[Peak] = ()) -> Figure:
    """Reflectance of either mirror as the cavity sees it, of the whole cavity from the pump side, and its modes."""
    stack = design.to_stack()
    low, high = solution.provenance["window_nm"]
    wavelengths = np.linspace(low, high, 1601)
    with _styled(8.4, 5.2) as figure:
        upper, lower = figure.subplots(2, 1)
        for name, colour in (("front", BLUE), ("back", ORANGE)):
            mirror = resolve_stack(mirror_alone(stack, name), window_nm=(low, high))
            reflected = spectrum(mirror, wavelength_nm=wavelengths).reflectance
            upper.semilogy(wavelengths, 1.0 - reflected, color=colour, label=f"{name} mirror")
        upper.invert_yaxis()
        upper.set(ylabel="1 - R of one mirror", title=design.name, xlim=(low, high))
        near = _near_line(solution, peaks, (low, high))
        dense = _dense(np.linspace(*near, 801), solution)
        whole = spectrum(resolve_stack(stack, window_nm=(low, high)), wavelength_nm=dense)
        lower.plot(whole.wavelength_nm, whole.reflectance, color=BLACK, linewidth=1.2, label="whole cavity, normal incidence")
        lower.set(xlabel="wavelength λ (nm)", ylabel="reflectance R", ylim=(0.0, 1.05), xlim=near)
        for axes in (upper, lower):
            for index, wavelength in enumerate(solution.modes["wavelength_nm"]):
                axes.axvline(wavelength, color=GREEN, linewidth=1.0, alpha=0.8, zorder=1, label=None if index else "cavity mode")
            for index, peak in enumerate(p for p in peaks if p.has_wavelength):
                label = None if index else "published line"
                axes.axvline(peak.wavelength_nm, color=RED, linewidth=1.4, linestyle="--", label=label)
            axes.legend(loc="lower left", ncols=4, framealpha=0.9, frameon=True, edgecolor="none")
        return figure


def mirror_alone(stack: Stack, name: str) -> Stack:
    """One mirror of a two-mirror stack as a wave inside the cavity meets it; ``name`` is front or back.

    The medium in front of it is that of the layer next to it, taken as a half-space and without its absorption.
    """
    inner = [index for index, layer in enumerate(stack.layers) if not layer.name.startswith(("front ", "back ", "superstrate", "substrate"))]
    first, last = inner[0], inner[-1]
    if name == "front":
        layers, outside, beside = stack.layers[1:first][::-1], stack.layers[0], stack.layers[first]
    else:
        layers, outside, beside = stack.layers[last + 1 : -1], stack.layers[-1], stack.layers[last]
    return Stack(layers=(Layer(material=beside.material), *layers, Layer(material=outside.material)))


def gain_picture(prediction: Prediction) -> Figure:
    """Gain spectra at rising ⟨N⟩ with the transitions, and the predicted lines at the gain that they need."""
    emitter = prediction.design.emitter
    assert emitter is not None  # noqa: S101 (predict fills it in)
    low, high = prediction.solution.provenance["window_nm"]
    with _styled(8.4, 4.6) as figure:
        axes = figure.subplots()
        top = _gain_curves(axes, emitter, low, high)
        lines = prediction.lines
        for row in range(len(lines)):
            needed, wavelength = lines.required_gain_per_cm[row], lines.wavelength_nm[row]
            if not math.isfinite(needed):
                continue
            colour = TRANSITION_COLOURS.get(lines.transition[row], GREY)
            clipped = needed > top
            axes.plot(
                wavelength, top * 0.985 if clipped else needed, "^" if clipped else "o", markersize=6, zorder=5,
                color=colour if lines.lasing[row] else GREY, markerfacecolor="white" if lines.dark[row] else None,
            )  # fmt: skip
        from matplotlib.lines import Line2D

        kinds = [Line2D([], [], marker="o", linestyle="", color=colour, label=f"lases on {name}") for name, colour in TRANSITION_COLOURS.items()]
        kinds += [
            Line2D([], [], marker="o", linestyle="", color=BLACK, markerfacecolor="white", label="dark"),
            Line2D([], [], marker="o", linestyle="", color=GREY, label="does not lase"),
            Line2D([], [], marker="^", linestyle="", color=GREY, label="needs more than shown"),
        ]
        figure.legend(handles=kinds, loc="outside lower center", ncols=3, title="gain that each mode needs")
        axes.set(xlabel="wavelength λ (nm)", ylabel="material gain g (1/cm)", xlim=(low, high))
        axes.set_title(f"{prediction.design.name}, {emitter.temperature_k:g} K")
        return figure


def gain_map(emitter: Emitter, window_nm: tuple[float, float], *, title: str = "") -> Figure:
    """Gain spectra at rising ⟨N⟩ with the transitions marked."""
    with _styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        _gain_curves(axes, emitter, *window_nm)
        axes.set(xlabel="wavelength λ (nm)", ylabel="material gain g (1/cm)", xlim=window_nm)
        axes.set_title(title or f"Quantum-shell gain at {emitter.temperature_k:g} K")
        return figure


def published_against_predicted(found: Sequence[Compared] | Sequence[Mapping[str, Any]], *, title: str = "Published and predicted") -> Figure:
    """Wavelengths, published and predicted, one row each, with the error that the assumed inputs cause."""
    rows = [_pair(item) for item in found]
    rows = [row for row in rows if row is not None]
    with _styled(8.4, 1.4 + 0.55 * max(len(rows), 1)) as figure:
        axes = figure.subplots()
        for y, (_, published, predicted, error) in enumerate(reversed(rows)):
            if isinstance(published, tuple):
                axes.plot(published, (y, y), color=RED, linewidth=7, alpha=0.35, solid_capstyle="butt")
            else:
                axes.plot(published, y, "*", color=RED, markersize=13, zorder=4)
            if predicted is not None:
                axes.errorbar(predicted, y, xerr=error, fmt="o", color=BLUE, markersize=6, capsize=3, elinewidth=1.2, zorder=5)
        axes.plot([], [], "*", color=RED, markersize=11, linestyle="", label="published")
        axes.plot([], [], color=RED, linewidth=7, alpha=0.35, label="published range")
        axes.errorbar([], [], xerr=[], fmt="o", color=BLUE, capsize=3, label="predicted, ± of the assumed inputs")
        axes.set_yticks(range(len(rows)), [row[0] for row in reversed(rows)])
        axes.set(xlabel="wavelength λ (nm)", ylim=(-0.6, len(rows) - 0.4))
        axes.set_title(title)
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside lower center", ncols=3)
        return figure


def mask_preview(layout: Layout, *, cell: str | None = None) -> Figure:
    """A mask as drawn: each layer in its colour; large arrays as the area that they fill."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    from cavitydesign.masks import outlines

    found = outlines(layout, cell=cell)
    names = list(dict.fromkeys(outline.layer for outline in found))
    colours = (BLUE, ORANGE, GREEN, RED, SKY, PINK, BLACK, YELLOW)
    with _styled(6.4, 6.4) as figure:
        axes = figure.subplots()
        handles = []
        for index, name in enumerate(names):
            colour = colours[index % len(colours)]
            for simplified in (True, False):
                polygons = [item.points_um for item in found if item.layer == name and item.simplified is simplified]
                if polygons:
                    alpha = 0.45 if simplified else 0.9
                    axes.add_collection(PolyCollection(polygons, facecolors=colour, edgecolors=colour, linewidths=0.3, alpha=alpha))
            handles.append(Patch(color=colour, label=name))
        axes.autoscale_view()
        axes.set(aspect="equal", xlabel="x (µm)", ylabel="y (µm)")
        axes.set_title(f"{layout.spec.title or layout.spec.name}" + (f", {cell}" if cell else ""))
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        return figure


# -- parts ---------------------------------------------------------------------------------------------------------


def _map_points(swept: Sweep, path: str) -> dict[str, Array]:
    """(x, λ, ⟨N⟩) of every mode, by what its threshold is like."""
    solved = [
        (point, outcome.modes)
        for point, outcome in zip(swept.points, swept.outcomes, strict=True)
        if isinstance(outcome, Solution) and len(outcome.modes)
    ]
    groups: dict[str, list[tuple[float, float, float]]] = {"never": [], "dark": [], "lasing": []}
    found = mode_thresholds([(swept.design.with_values(dict(point.values)), modes) for point, modes in solved])
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
    ticks = [t for t in (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0) if low <= t <= max(high, 1.05 * low)]
    axes.set_yticks(ticks or [low], [f"{t:g}" for t in ticks] or [f"{low:.3g}"])
    axes.minorticks_off()


def _window(swept: Sweep) -> tuple[float, float]:
    found = next(outcome for outcome in swept.outcomes if isinstance(outcome, Solution))
    low, high = found.provenance["window_nm"]
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
            axes.plot(x, peak.wavelength_nm, "*", color=RED, markersize=14, markeredgecolor="white", linestyle="", label=label, zorder=6)
            axes.annotate(name, (x, peak.wavelength_nm), xytext=(7, -11), textcoords="offset points", color=RED, zorder=7)
        elif peak.has_wavelength:
            axes.axhline(peak.wavelength_nm, color=RED, linewidth=1.0, linestyle="--", label=once("published line, device not stated"), zorder=2)
            axes.annotate(name, (span[1], peak.wavelength_nm), xytext=(0, 3), textcoords="offset points", color=RED, ha="right")
        if math.isfinite(peak["wavelength_from_nm"]):
            axes.axhspan(peak["wavelength_from_nm"], peak["wavelength_to_nm"], color=RED, alpha=0.10, linewidth=0, label=once("published range"), zorder=0)


def _gain_beside(axes: Axes, emitter: Emitter, low: float, high: float) -> None:
    wavelengths = np.linspace(low, high, 301)
    gains = gain_spectrum(emitter, wavelengths, np.array(PAIRS)).total_per_cm * 1e-3
    for pairs, gain, shade in zip(PAIRS, gains, np.linspace(0.35, 1.0, len(PAIRS)), strict=True):
        axes.plot(gain, wavelengths, color=BLUE, alpha=shade, linewidth=1.2)
        if gain.max() > 0.0 and pairs in (PAIRS[1], PAIRS[-1]):
            at = int(gain.argmax())
            axes.annotate(f"⟨N⟩ = {pairs:g}", (gain[at], wavelengths[at]), xytext=(3, 0), textcoords="offset points", fontsize=8, color=BLUE, va="center")  # fmt: skip
    axes.axvline(0.0, color=BLACK, linewidth=0.8)
    top = max(float(gains.max()), 1e-3)
    axes.set(xlim=(-0.35 * top, 1.7 * top), xlabel="gain g (10³/cm)", title=f"{emitter.temperature_k:g} K")
    _transition_marks(emitter, low, high, lambda x, name: axes.annotate(
        name, (0.02, x), xycoords=("axes fraction", "data"), fontsize=8, color=TRANSITION_COLOURS[name], va="center"))  # fmt: skip


def _transition_marks(emitter: Emitter, low: float, high: float, draw: Callable[[float, str], object]) -> None:
    """The first line of each transition, where it lies in the window."""
    apart, shown = 0.035 * (high - low), []
    for name, energies in transition_energies_ev(emitter).items():
        wavelength = float(ev_to_nm(np.atleast_1d(energies)[0]))
        if low < wavelength < high and name in TRANSITION_COLOURS:
            if shown and shown[-1] - wavelength < apart:  # X, XX, MX come from the red to the blue: a label steps aside
                wavelength = shown[-1] - apart
            shown.append(wavelength)
            draw(wavelength, name)


def _gain_curves(axes: Axes, emitter: Emitter, low: float, high: float) -> float:
    """Curves at rising ⟨N⟩; returns the upper limit that it set."""
    wavelengths = np.linspace(low, high, 401)
    gains = gain_spectrum(emitter, wavelengths, np.array(PAIRS)).total_per_cm
    for pairs, gain, shade in zip(PAIRS, gains, np.linspace(0.3, 1.0, len(PAIRS)), strict=True):
        axes.plot(wavelengths, gain, color=BLUE, alpha=shade, linewidth=1.5)
        if gain.max() > 0.04 * gains.max() and low + 0.05 * (high - low) < wavelengths[gain.argmax()] < high - 0.05 * (high - low):
            at = int(gain.argmax())
            axes.annotate(f"⟨N⟩ = {pairs:g}", (wavelengths[at], gain[at]), xytext=(0, 4), textcoords="offset points", fontsize=8, color=BLUE, ha="center")  # fmt: skip
    axes.axhline(0.0, color=BLACK, linewidth=0.8)
    top = max(float(gains.max()), 1.0) * 1.25
    axes.set_ylim(-0.45 * top, top)
    _transition_marks(emitter, low, high, lambda x, name: axes.annotate(
        name, (x, 0.02), xycoords=("data", "axes fraction"), ha="center", color=TRANSITION_COLOURS[name], fontweight="bold"))  # fmt: skip
    return top


def _mark_film(axes: Axes, stack: Stack, numeric: Any) -> None:
    """Shade the gain layers."""
    depth, labelled = 0.0, False
    for layer, made in zip(stack.layers[1:-1], numeric.layers, strict=True):
        if layer.has_gain:
            axes.axvspan(depth * 1e-3, (depth + made.thickness_nm) * 1e-3, color=ORANGE, alpha=0.35, linewidth=0, label=None if labelled else "gain film", zorder=2)
            labelled = True
        depth += made.thickness_nm
    if labelled:
        axes.legend(loc="upper right")


def _easiest(threshold: Array) -> int:
    known = np.isfinite(threshold)
    return int(np.argmin(np.where(known, threshold, np.inf))) if known.any() else 0


def _near_line(solution: Solution, peaks: Sequence[Peak], window: tuple[float, float]) -> tuple[float, float]:
    """A few nm around the mode that is nearest to the published line (or to the middle of the window)."""
    modes = solution.modes["wavelength_nm"]
    wanted = next((peak.wavelength_nm for peak in peaks if peak.has_wavelength), 0.5 * (window[0] + window[1]))
    if not len(modes):
        return window
    nearest = float(modes[np.argmin(np.abs(modes - wanted))])
    spread = min(abs(nearest - wanted), 10.0) + 1.5
    return max(window[0], nearest - spread), min(window[1], nearest + spread)


def _dense(wavelengths: Array, solution: Solution) -> Array:
    """More points where a narrow line would fall between two of the grid."""
    parts = [wavelengths]
    for mode in solution.modes:
        width = mode["wavelength_nm"] / mode["q"] if math.isfinite(mode["q"]) and mode["q"] > 0 else 0.05
        parts.append(mode["wavelength_nm"] + width * np.linspace(-5.0, 5.0, 81))
    dense = np.unique(np.concatenate(parts))
    return dense[(dense >= wavelengths[0]) & (dense <= wavelengths[-1])]


def _pair(item: Compared | Mapping[str, Any]) -> tuple[str, Any, float | None, float | None] | None:
    """(label, published, predicted, error) of a row that is a wavelength."""
    if isinstance(item, Compared):
        predicted = item.line["wavelength_nm"] if item.line else None
        names = [item.peak.texts.get("transition"), *(f"{path.rpartition('.')[2]} {value:g}" for path, value in item.device.items())]
        return ", ".join(filter(None, names)) or "line", item.peak.wavelength_nm, predicted, None
    if item["unit"] != "nm" or not item["quantity"].startswith(("line", "range")) or item["quantity"] == "line width":
        return None
    device = [f"Λ = {value:g} nm" for path, value in item["device"].items() if path == "lattice.period_nm"]
    device += ["Λ not stated"] if "lattice.period_nm" in item.get("unstated", ()) else []
    published = tuple(item["published"]) if isinstance(item["published"], list | tuple) else item["published"]
    return ", ".join([item["quantity"], *device]), published, item["predicted"], item.get("predicted_err")


def _axis_label(path: str) -> str:
    names = {"lattice.period_nm": "period Λ (nm)"}
    if path in names:
        return names[path]
    name = path.rpartition(".")[2]
    return f"{path.removesuffix('_nm')} (nm)" if name.endswith("_nm") else path
