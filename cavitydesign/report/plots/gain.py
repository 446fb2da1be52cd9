"""Gain spectra with the transitions, and the gain that each mode of a prediction needs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cavitydesign.gain import gain_spectrum, transition_energies_ev
from cavitydesign.geometry.emitter import Emitter
from cavitydesign.kinds import Window
from cavitydesign.report.plots.style import BLACK, BLUE, GREY, TRANSITION_COLOURS, note, styled
from cavitydesign.units import ev_to_nm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cavitydesign.study.predict import Prediction

PAIRS = (1.0, 1.4, 2.0, 3.0, 4.0)
"""Mean pairs per shell ⟨N⟩ that gain spectra are drawn at."""


def gain_picture(prediction: Prediction) -> Figure:
    """Gain spectra at rising ⟨N⟩ with the transitions, and the predicted lines at the gain that they need."""
    emitter, window = prediction.design.emitter, prediction.solution.window_nm
    assert emitter is not None
    with styled(8.4, 4.6) as figure:
        axes = figure.subplots()
        top = gain_curves(axes, emitter, window)
        for line in prediction.lines:
            needed = line.required_gain_per_cm
            if math.isfinite(needed):
                axes.plot(
                    line.wavelength_nm, min(needed, 0.985 * top), "^" if needed > top else "o",
                    color=TRANSITION_COLOURS.get(line.transition, GREY) if line.lases else GREY,
                    markerfacecolor="white" if line.dark else None, markersize=6, zorder=5,
                )  # fmt: skip
        kinds = [(f"lases on {name}", "o", colour, colour) for name, colour in TRANSITION_COLOURS.items()]
        kinds += [("dark", "o", BLACK, "white"), ("does not lase", "o", GREY, GREY)]
        kinds += [("needs more than shown", "^", GREY, GREY)]
        handles = [
            Line2D([], [], linestyle="", label=label, marker=marker, color=colour, markerfacecolor=face)
            for label, marker, colour, face in kinds
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, title="gain that each mode needs")
        axes.set(xlabel="wavelength λ (nm)", ylabel="material gain g (1/cm)", xlim=window)
        axes.set_title(f"{prediction.design.name}, {emitter.temperature_k:g} K")
        return figure


def gain_curves(axes: Axes, emitter: Emitter, window_nm: Window, *, upright: bool = False) -> float:
    """Gain (1/cm) over wavelength at rising ⟨N⟩ with the transitions; returns the upper limit of the gain shown.

    ``upright``: beside a map, with the wavelength along y and the gain along x, in 10³/cm.
    """

    def turned(x: Any, y: Any) -> tuple[Any, Any]:
        return (y, x) if upright else (x, y)

    low, high = window_nm
    wavelengths = np.linspace(low, high, 401)
    unit, room, aligned = (1e-3, 1.7, {"va": "center"}) if upright else (1.0, 1.25, {"ha": "center"})
    gains = gain_spectrum(emitter, wavelengths, np.array(PAIRS)) * unit
    for pairs, gain, shade in zip(PAIRS, gains, np.linspace(0.3, 1.0, len(PAIRS)), strict=True):
        axes.plot(*turned(wavelengths, gain), color=BLUE, alpha=shade, linewidth=1.2 if upright else 1.5)
        at = int(gain.argmax())
        inside = 0.05 < at / (len(wavelengths) - 1) < 0.95 and gain[at] > 0.04 * gains.max()
        if pairs in PAIRS[1::3] and gain[at] > 0.0 if upright else inside:  # a narrow panel has room for two
            peak, shift = turned(wavelengths[at], gain[at]), turned(0, 4)
            note(axes, f"⟨N⟩ = {pairs:g}", peak, shift=shift, fontsize=8, color=BLUE, **aligned)
    (axes.axvline if upright else axes.axhline)(0.0, color=BLACK, linewidth=0.8)
    top = max(float(gains.max()), unit) * room
    (axes.set_xlim if upright else axes.set_ylim)((-0.2 if upright else -0.45) * top, top)
    for name, wavelength in _transitions(emitter, low, high):
        place, frame = turned(wavelength, 0.02), turned("data", "axes fraction")
        style: dict[str, Any] = {"color": TRANSITION_COLOURS[name], "fontweight": "bold", **aligned}
        axes.annotate(name, place, xycoords=frame, fontsize=8 if upright else None, **style)
    return top


def _transitions(emitter: Emitter, low: float, high: float) -> Iterator[tuple[str, float]]:
    """The first line (nm) of each transition that lies in the window; a label too near to the last one steps aside."""
    apart, last = 0.035 * (high - low), math.inf
    for name, energies in transition_energies_ev(emitter).items():  # X, XX, MX: from the red to the blue
        wavelength = float(ev_to_nm(np.atleast_1d(energies)[0]))
        if low < wavelength < high and name in TRANSITION_COLOURS:
            last = last - apart if last - apart < wavelength else wavelength
            yield name, last
