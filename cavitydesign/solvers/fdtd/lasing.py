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
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.fdtd.cell import lay_out
from cavitydesign.solvers.fdtd.client import Progress, find_interpreter, run_jobs
from cavitydesign.solvers.fdtd.harvest import Line, lines_of_run
from cavitydesign.solvers.fdtd.job import Job, job, parities, point_group
from cavitydesign.solvers.fdtd.materials import UNIT_NM, index_of
from cavitydesign.solvers.fdtd.settings import Fdtd

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
    *,
    wavelength_nm: float,
    pump_gain_per_cm: Sequence[float],
    symmetry: str = "",
    linewidth_nm: float = 40.0,
    duration_um: float = 2500.0,
    settings: Fdtd | None = None,
    progress: Progress | None = None,
) -> LasingCurve:
    """Raise the pump and watch the mode nearest to ``wavelength_nm`` begin to lase. For 1D stacks and 2D gratings.

    ``pump_gain_per_cm`` are unsaturated material gains, at least three of them above threshold. ``linewidth_nm`` is
    the full width of the gain line, which is centred on the mode. Runs at the finest resolution of ``settings``.
    """
    settings = settings if settings is not None else Fdtd(pixels_per_um=(25.0,))
    stack = subject.to_stack() if isinstance(subject, Design) else subject
    if not any(layer.has_gain for layer in stack.layers):
        raise InputError("no layer has gain = true", key="layers")
    options: dict[str, Any] = {
        "interpreter": find_interpreter(settings.interpreter), "at_once": settings.at_once,
        "time_limit_s": settings.time_limit_s, "folder": settings.folder, "progress": progress,
    }  # fmt: skip
    one, line = _cold_mode(stack, wavelength_nm, symmetry, settings, options)
    if one.cell.axes.dimensions == 3:
        raise InputError("lasing runs are for uniform stacks (1D) and gratings (2D)", key="stack")
    found_nm = UNIT_NM / line.frequency
    width = line.frequency * linewidth_nm / found_nm
    pumps = sorted(float(gain) for gain in pump_gain_per_cm)
    contents = [
        (f"pump {gain:.4g}/cm", _pumped(one, line, gain, pumps[-1], width, duration_um)) for gain in pumps
    ]
    results = run_jobs(contents, **options)
    outputs, settled = zip(*(_steady(result["series_npz"]["series"]) for result in results), strict=True)
    threshold, error = _threshold(np.array(pumps), np.array(outputs), np.array(settled))
    return LasingCurve(found_nm, 1.0 / line.inverse_q, tuple(pumps), outputs, settled, threshold, error)


def _cold_mode(
    stack: Stack, wavelength_nm: float, symmetry: str, settings: Fdtd, options: dict[str, Any]
) -> tuple[Job, Line]:
    """The passive mode on this grid, and the job that found it."""
    window = (0.97 * wavelength_nm, 1.03 * wavelength_nm)
    group = point_group(stack, settings.bloch)
    cell = lay_out(stack, settings=settings, window_nm=window, pixels_per_um=max(settings.pixels_per_um))
    plan = [
        job(stack, cell, group=group, parity=p, settings=settings, window_nm=window) for p in parities(group)
    ]
    plan = [one for one in plan if not symmetry or any(label == symmetry for label, _ in one.labels.values())]
    results = run_jobs([(one.name, one.content) for one in plan], **options)
    best: tuple[float, Job, Line] | None = None
    for one, result in zip(plan, results, strict=True):
        for name in one.labels:
            for line in lines_of_run(result, name, where=name, q_min=settings.q_min)[0]:
                distance = abs(UNIT_NM / line.frequency - wavelength_nm)
                if best is None or distance < best[0]:
                    best = (distance, one, line)
    if best is None:
        raise SolverError(
            f"FDTD finds no mode within 3 % of {wavelength_nm:g} nm to pump", status=Status.NO_MODES
        )
    return best[1], best[2]


def _pumped(
    one: Job, line: Line, gain: float, most: float, width: float, duration_um: float
) -> dict[str, Any]:
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
        transitions = [
            {
                "from": 1,
                "to": 2,
                "pumping_rate": rate,
                "frequency": line.frequency,
                "gamma": width,
                "sigma": _SIGMA,
            },
            {"from": 2, "to": 1, "transition_rate": _DECAY},
        ]
        atom = {
            "transitions": transitions,
            "populations": [0.5 * (density - inversion), 0.5 * (density + inversion)],
        }
        materials[name] = {**materials[item["material"]], "atom": atom}
        objects.append({**item, "material": name})
    pulse = {"frequency": line.frequency, "width": 0.1 * line.frequency}
    sources = [
        {**source, "pulse": pulse, "amplitude": [0.05 * source["amplitude"][0], 0.0]}
        for source in one.content["sources"]
    ]
    content = {key: value for key, value in one.content.items() if key not in ("fit", "channels")}
    return {
        **content,
        "materials": materials,
        "objects": objects,
        "sources": sources,
        "run": {"duration": duration_um, "chunk": 20.0, "sample_every": 1.0 / (8.0 * line.frequency)},
    }


def _imaginary_permittivity(gain_per_cm: float, index: float, line: Line) -> float:
    kappa = float(units.kappa_from_gain_per_cm(gain_per_cm, UNIT_NM / line.frequency))
    return 2.0 * kappa * math.sqrt(index * index + kappa * kappa)


def _steady(series: Any) -> tuple[float, bool]:
    """(mean E² of all probes over the last eighth, whether it is that of the eighth before to 2 %)."""
    power = np.mean(np.abs(np.asarray(series)) ** 2, axis=0)
    eighth = len(power) // 8
    last, before = float(power[-eighth:].mean()), float(power[-2 * eighth : -eighth].mean())
    return last, abs(last - before) <= 0.02 * last


def _threshold(pumps: Any, outputs: Any, settled: Any) -> tuple[float, float]:
    """Where the output meets zero, by a parabola in the pump rate through the settled points (the error: against a
    line).

    With the inversion clamped at its threshold the emitted power is R N1 - γ N2, linear in the rate R rather than
    in the
    unsaturated gain: R/γ = (ρ + g0)/(ρ - g0) with ρ the gain of full inversion. Spatial hole burning bends it a little.
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
