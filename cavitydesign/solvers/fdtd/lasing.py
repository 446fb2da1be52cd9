"""Lasing in the time domain: light out against pump, with two-level atoms in the gain film.

Meep steps, for an inversion D = N2 - N1 and the polarization P of the atoms (Meep manual, "Saturable gain"),

    P'' + Γ P' + (ω_a² + Γ²/4) P = -σ D E,      N2' = R N1 - γ N2 + (E P')/ω_a (signed),      N1 + N2 = N

so that without light D = N (R - γ)/(R + γ), and at the line's centre the film has Im ε = -σ D / (ω_a Γ). The pump
is given here as the film's unsaturated power gain g0 (1/cm) at the line's centre, ``Im ε = -2 κ √(n² + κ²)`` with
``g0 = 4πκ/λ``: the laser threshold is then the number that the frequency-domain solvers call threshold_gain_per_cm.
Steady output grows with the pump rate above threshold; the threshold is where it extrapolates to zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.ask import OWN, Ask, Progress
from cavitydesign.solvers.fdtd.cell import dimensions_of
from cavitydesign.solvers.fdtd.harvest import Line
from cavitydesign.solvers.fdtd.job import Job
from cavitydesign.solvers.fdtd.materials import index_of
from cavitydesign.solvers.fdtd.runs import around, nearest_mode, perform
from cavitydesign.solvers.fdtd.solver import Fdtd

_DECAY = 0.03
_SIGMA = 10.0
_RESERVE = 2.0


@dataclass(frozen=True, slots=True)
class LasingCurve:
    """Steady output (mean E² at a probe, arbitrary units) for each pump g0 (1/cm), and the threshold that it shows.

    ``settled`` tells for each point whether its output had stopped changing (to 2 %).
    """

    wavelength_nm: float
    q: float
    pump_gain_per_cm: tuple[float, ...]
    output: tuple[float, ...]
    settled: tuple[bool, ...]
    threshold_gain_per_cm: float
    threshold_err_per_cm: float


def lasing_curve(
    subject: Design | Stack,
    settings: Fdtd | None = None,
    *,
    wavelength_nm: float,
    pump_gain_per_cm: Sequence[float],
    symmetry: str = "",
    linewidth_nm: float = 40.0,
    duration_um: float = 2500.0,
    device: Any = OWN,
    bloch: tuple[float, float] = (0.0, 0.0),
    progress: Progress | None = None,
) -> LasingCurve:
    """Raise the pump and watch the mode nearest to ``wavelength_nm`` begin to lase. For 1D stacks and 2D gratings.

    Runs at the finest resolution of ``settings``, by default 25 pixels per µm.

    Args:
        subject: a design or a stack.
        settings: of the solver.
        wavelength_nm: where the mode is, to 3 %.
        pump_gain_per_cm: unsaturated material gains, at least three of them above threshold.
        symmetry: label of the mode; "" for any.
        linewidth_nm: full width of the gain line, which is centred on the mode.
        duration_um: length of each run, in µm of light path.
        device: that of ``solve``, as are ``bloch`` and ``progress``.
        bloch: in-plane wavevector, 1/nm.
        progress: told how far the work is.
    """
    settings = settings if settings is not None else Fdtd(pixels_per_um=(25.0,))
    window = around(wavelength_nm, 0.03)
    ask = Ask.of(subject, window_nm=window, device=device, bloch=bloch, progress=progress)
    if not any(layer.has_gain for layer in ask.stack.layers):
        raise InputError("no layer has gain = true", key="layers")
    if dimensions_of(ask.stack) == 3:
        raise InputError("lasing runs are for uniform stacks (1D) and gratings (2D)", key="stack")
    job, _, line = nearest_mode(ask, settings, symmetry=symmetry, pixels_per_um=max(settings.pixels_per_um))
    width = line.frequency * linewidth_nm / line.wavelength_nm
    pumps = sorted(float(gain) for gain in pump_gain_per_cm)
    plan = [_pumped(job, line, gain, pumps[-1], width, duration_um) for gain in pumps]
    results = perform(plan, settings, ask.progress)
    outputs, settled = zip(*(_steady(result["series_npz"]["series"]) for result in results), strict=True)
    threshold, error = _threshold(np.array(pumps), np.array(outputs), np.array(settled))
    return LasingCurve(line.wavelength_nm, line.q, tuple(pumps), outputs, settled, threshold, error)


def _pumped(one: Job, line: Line, gain: float, most: float, width: float, duration_um: float) -> Job:
    """The job with atoms in its gain film; they start in the steady state that the pump gives them without light."""
    materials = dict(one.content["materials"])
    objects = []
    omega, damping = 2.0 * math.pi * line.frequency, 2.0 * math.pi * width
    for item in one.content["objects"]:
        if not item["gain"]:
            objects.append(item)
            continue
        name = f"{item['material']} pumped"
        index = float(index_of(materials[item["material"]], line.frequency).real)
        inversion, density = (
            _imaginary_permittivity(g, index, line) * omega * damping / _SIGMA
            for g in (gain, _RESERVE * most)
        )
        rate = _DECAY * (density + inversion) / (density - inversion)
        up = {
            "from": 1,
            "to": 2,
            "pumping_rate": rate,
            "frequency": line.frequency,
            "gamma": width,
            "sigma": _SIGMA,
        }
        down = {"from": 2, "to": 1, "transition_rate": _DECAY}
        populations = [0.5 * (density - inversion), 0.5 * (density + inversion)]
        atom = {"transitions": [up, down], "populations": populations}
        materials[name] = {**materials[item["material"]], "atom": atom}
        objects.append({**item, "material": name})
    pulse = {"frequency": line.frequency, "width": 0.1 * line.frequency}
    sources = [
        {**source, "pulse": pulse, "amplitude": [0.05 * source["amplitude"][0], 0.0]}
        for source in one.content["sources"]
    ]
    content = {key: value for key, value in one.content.items() if key not in ("fit", "channels")}
    content |= {
        "materials": materials,
        "objects": objects,
        "sources": sources,
        "run": {"duration": duration_um, "chunk": 20.0, "sample_every": 1.0 / (8.0 * line.frequency)},
    }
    return replace(one, name=f"pump {gain:.4g}/cm", content=content)


def _imaginary_permittivity(gain_per_cm: float, index: float, line: Line) -> float:
    kappa = float(units.kappa_from_gain_per_cm(gain_per_cm, line.wavelength_nm))
    return 2.0 * kappa * math.sqrt(index * index + kappa * kappa)


def _steady(series: Any) -> tuple[float, bool]:
    """(mean E² of all probes over the last eighth, whether it is that of the eighth before to 2 %)."""
    power = np.mean(np.abs(np.asarray(series)) ** 2, axis=0)
    eighth = len(power) // 8
    last, before = float(power[-eighth:].mean()), float(power[-2 * eighth : -eighth].mean())
    return last, abs(last - before) <= 0.02 * last


def _threshold(pumps: Any, outputs: Any, settled: Any) -> tuple[float, float]:
    """Where the output meets zero, by a parabola in the pump rate through the settled points; the error against a line.

    With the inversion clamped at its threshold the emitted power is R N1 - γ N2, linear in the rate R rather than in
    the unsaturated gain: R/γ = (ρ + g0)/(ρ - g0) with ρ the gain of full inversion. Spatial hole burning bends it a
    little.
    """
    above = settled & (outputs > 0.02 * outputs.max())
    if np.count_nonzero(above) < 3:
        raise SolverError(
            "fewer than three pumps gave a steady laser; raise pump_gain_per_cm or duration_um",
            status=Status.UNCONVERGED,
        )
    full = _RESERVE * pumps[-1]
    rate, y = (full + pumps[above]) / (full - pumps[above]), outputs[above]
    crossings = []
    for degree in (2, 1):
        roots = np.roots(np.polyfit(rate, y, degree))
        real = roots[np.abs(roots.imag) < 1e-9].real
        crossings.append(float(real[np.argmin(np.abs(real - rate[0]))]) if len(real) else math.nan)
    gains = [full * (crossing - 1.0) / (crossing + 1.0) for crossing in crossings]
    if not math.isfinite(gains[0]):
        raise SolverError(
            "the outputs do not extrapolate to zero; add pumps nearer to threshold", status=Status.UNCONVERGED
        )
    return float(gains[0]), float(max(abs(gains[0] - gains[1]), 1e-3 * gains[0]))
