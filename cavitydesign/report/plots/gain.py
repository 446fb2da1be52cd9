"""Gain spectra with the transitions, and the gain that each mode of a prediction needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cavitydesign.gain import gain_spectrum, transition_energies_ev
from cavitydesign.geometry.emitter import Emitter
from cavitydesign.report.plots.style import BLACK, BLUE, GREY, TRANSITION_COLOURS, styled
from cavitydesign.units import ev_to_nm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cavitydesign.study.predict import Prediction

PAIRS = (1.0, 1.4, 2.0, 3.0, 4.0)
"""Mean pairs per shell ⟨N⟩ that gain spectra are drawn at."""


def gain_picture(prediction: Prediction) -> Figure:
    """Gain spectra at rising ⟨N⟩ with the transitions, and the predicted lines at the gain that they need."""
    emitter = prediction.design.emitter
    assert emitter is not None
    low, high = prediction.solution.window_nm
    with styled(8.4, 4.6) as figure:
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
                wavelength,
                top * 0.985 if clipped else needed,
                "^" if clipped else "o",
                markersize=6,
                zorder=5,
                color=colour if lines.lasing[row] else GREY,
                markerfacecolor="white" if lines.dark[row] else None,
            )
        kinds = [
            Line2D([], [], marker="o", linestyle="", color=colour, label=f"lases on {name}")
            for name, colour in TRANSITION_COLOURS.items()
        ]
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
    with styled(8.4, 4.2) as figure:
        axes = figure.subplots()
        _gain_curves(axes, emitter, *window_nm)
        axes.set(xlabel="wavelength λ (nm)", ylabel="material gain g (1/cm)", xlim=window_nm)
        axes.set_title(title or f"Quantum-shell gain at {emitter.temperature_k:g} K")
        return figure


def _gain_curves(axes: Axes, emitter: Emitter, low: float, high: float) -> float:
    """Curves at rising ⟨N⟩; returns the upper limit that it set."""
    wavelengths = np.linspace(low, high, 401)
    gains = gain_spectrum(emitter, wavelengths, np.array(PAIRS))
    for pairs, gain, shade in zip(PAIRS, gains, np.linspace(0.3, 1.0, len(PAIRS)), strict=True):
        axes.plot(wavelengths, gain, color=BLUE, alpha=shade, linewidth=1.5)
        if gain.max() > 0.04 * gains.max() and low + 0.05 * (high - low) < wavelengths[
            gain.argmax()
        ] < high - 0.05 * (high - low):
            at = int(gain.argmax())
            axes.annotate(
                f"⟨N⟩ = {pairs:g}",
                (wavelengths[at], gain[at]),
                xytext=(0, 4),
                textcoords="offset points",
                fontsize=8,
                color=BLUE,
                ha="center",
            )
    axes.axhline(0.0, color=BLACK, linewidth=0.8)
    top = max(float(gains.max()), 1.0) * 1.25
    axes.set_ylim(-0.45 * top, top)
    transition_marks(
        emitter,
        low,
        high,
        lambda x, name: axes.annotate(
            name,
            (x, 0.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            color=TRANSITION_COLOURS[name],
            fontweight="bold",
        ),
    )
    return top


def transition_marks(emitter: Emitter, low: float, high: float, draw: Callable[[float, str], object]) -> None:
    """The first line of each transition, where it lies in the window."""
    apart, shown = 0.035 * (high - low), []
    for name, energies in transition_energies_ev(emitter).items():
        wavelength = float(ev_to_nm(np.atleast_1d(energies)[0]))
        if low < wavelength < high and name in TRANSITION_COLOURS:
            if (
                shown and shown[-1] - wavelength < apart
            ):  # X, XX, MX come from the red to the blue: a label steps aside
                wavelength = shown[-1] - apart
            shown.append(wavelength)
            draw(wavelength, name)
