"""Stack → modes with FDTD: jobs, runs, harvest, table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from cavitydesign import units
from cavitydesign.errors import SolverError, Status
from cavitydesign.solvers.ask import Ask, Solver
from cavitydesign.solvers.fdtd.estimate import estimate
from cavitydesign.solvers.fdtd.harvest import Line, extrapolate, lines_of_run, mean_over_offsets
from cavitydesign.solvers.fdtd.job import Job, jobs
from cavitydesign.solvers.fdtd.runs import perform
from cavitydesign.solvers.fdtd.settings import Settings
from cavitydesign.solvers.solution import Mode, Modes, Rejected, Solution

Found = tuple[str, int, str, Line]
"""(symmetry, degeneracy, polarization, line)."""


@dataclass(frozen=True)
class Fdtd(Settings, Solver):
    """The ``fdtd`` solver (Meep in its own process); :class:`Settings` says what may be chosen."""

    name: ClassVar[str] = "fdtd"
    version: ClassVar[int] = 4
    asks: ClassVar[tuple[str, ...]] = ("bloch", "device")

    def run(self, ask: Ask) -> Solution:
        """Resonances of the infinite cell, or of the finite array where the question names a device."""
        plan = jobs(ask, self)
        results = perform(plan, self, ask.progress)
        _refuse_unstable(plan, results)
        found, rejected = harvest(plan, results, settings=self)
        modes = _table(found, plan, settings=self, window_nm=ask.window_nm)
        over = ("interrupted", "wall time over")
        warnings = tuple(
            f"{job.name}: its time was over before the fit had converged"
            for job, result in zip(plan, results, strict=True)
            if result["status"] in over
        )
        status = Status.PARTIAL if warnings else Status.OK if len(modes) else Status.NO_MODES
        if status is Status.OK and len({job.resolution for job in plan}) == 1:
            status = Status.APPROXIMATE
        provenance = _provenance(plan, results, rejected, self)
        return Solution(modes, status, provenance, warnings, rejected=tuple(rejected))


def _refuse_unstable(plan: Sequence[Job], results: Sequence[dict[str, Any]]) -> None:
    """Fields that end a thousand times larger than they began are a numerical instability, not a laser."""
    for job, result in zip(plan, results, strict=True):
        series = np.abs(result["series_npz"]["series"]) if "series_npz" in result else np.zeros((1, 0))
        part = max(1, series.shape[1] // 10)
        if series.size and not np.max(series[:, -part:]) <= 1e3 * np.max(series[:, :part]):
            raise SolverError(
                f"the FDTD run {job.name!r} is unstable: its fields grow without end; use dispersion='constant', "
                "a lower resolution, or fewer sidewall_steps (2) for walls that lean",
                status=Status.PARTIAL,
            )


def harvest(
    plan: Sequence[Job], results: Sequence[dict[str, Any]], *, settings: Settings
) -> tuple[list[Found], list[Rejected]]:
    """Modes at infinite resolution and everything rejected on the way."""
    found: list[Found] = []
    rejected: list[Rejected] = []
    for parity in dict.fromkeys(job.parity for job in plan):
        ours = [(job, result) for job, result in zip(plan, results, strict=True) if job.parity == parity]
        for group, (symmetry, degeneracy) in ours[0][0].labels.items():
            if symmetry == "folded":
                continue
            levels, resolutions = [], sorted({job.resolution for job, _ in ours})
            for resolution in resolutions:
                where = f"{symmetry or parity} at {resolution:.4g}/um"
                runs = []
                for job, result in ours:
                    if job.resolution == resolution:
                        lines, bad = lines_of_run(result, group, where=where, q_min=settings.q_min)
                        runs.append(lines)
                        rejected += bad
                mean, bad = mean_over_offsets(runs, where=where)
                rejected += bad
                levels.append(mean)
            lines, bad = extrapolate(levels, resolutions, where=symmetry or parity)
            rejected += bad
            found += [(symmetry, degeneracy, _polarization(line, ours[0][0]), line) for line in lines]
    if plan and plan[0].group == "C6v":
        found = _pairs_of_c6v(found)
    return found, rejected


def _polarization(line: Line, job: Job) -> str:
    """TE where the probes see more E in the plane than across it, else TM; both alike in one dimension."""
    dimensions = job.cell.axes.dimensions
    if dimensions == 1:
        return "TE+TM"
    if dimensions == 2:
        return "TE" if any(":Ey" in name for name in line.amplitudes) else "TM"
    power = {True: 0.0, False: 0.0}
    for name, amplitude in line.amplitudes.items():
        power[":Ez" in name] += abs(amplitude) ** 2
    return "TE-like" if power[False] >= power[True] else "TM-like"


def _pairs_of_c6v(found: list[Found]) -> list[Found]:
    """A1 with A2 at one frequency is E2; B1 with B2 is E1 (the cell's strain splits them by < 0.1 %)."""
    out: list[Found] = []
    used: set[int] = set()
    for first, second, name in (("A1", "A2", "E2"), ("B1", "B2", "E1")):
        for i, (symmetry, _, polarization, a) in enumerate(found):
            if symmetry != first or i in used:
                continue
            near = [
                (abs(b.frequency - a.frequency), j)
                for j, (other, _, kind, b) in enumerate(found)
                if other == second and j not in used and kind == polarization and _one_pair(a, b)
            ]
            if near:
                _, j = min(near)
                used |= {i, j}
                b = found[j][3]
                mean = replace(
                    a,
                    frequency=0.5 * (a.frequency + b.frequency),
                    decay=0.5 * (a.decay + b.decay),
                    frequency_err=max(a.frequency_err, b.frequency_err),
                    decay_err=max(a.decay_err, b.decay_err),
                )
                out.append((name, 2, polarization, mean))
    return out + [item for index, item in enumerate(found) if index not in used]


def _one_pair(a: Line, b: Line) -> bool:
    close = abs(a.frequency - b.frequency) < 1.5e-3 * a.frequency
    return close and abs(a.decay - b.decay) < 0.3 * max(abs(a.decay), abs(b.decay)) + 2e-6 * a.frequency


def _table(
    found: Sequence[Found], plan: Sequence[Job], *, settings: Settings, window_nm: tuple[float, float]
) -> Modes:
    rows = []
    for symmetry, degeneracy, polarization, line in found:
        wavelength = line.wavelength_nm
        if not window_nm[0] <= wavelength <= window_nm[1]:
            continue
        endless = line.inverse_q < 1.0 / settings.q_max
        q = math.inf if endless else line.q
        off = math.hypot(line.frequency_err / line.frequency, _index_error(plan) / 1.5)
        rows.append(
            Mode(
                wavelength_nm=wavelength,
                q=q,
                symmetry=symmetry,
                degeneracy=degeneracy,
                polarization=polarization,
                wavelength_err_nm=wavelength * off,
                q_err=math.nan if endless else q * q * 2.0 * line.decay_err / line.frequency,
                k0_per_nm=units.complex_k0_per_nm(wavelength, q),
            )
        )
    return Modes.of(rows)


def _index_error(plan: Sequence[Job]) -> float:
    return max((medium.index_error for job in plan for medium in job.cell.media), default=0.0)


def _provenance(
    plan: Sequence[Job],
    results: Sequence[dict[str, Any]],
    rejected: Sequence[Rejected],
    settings: Settings,
) -> dict[str, Any]:
    return {
        "meep": results[0]["meep"] if results else "",
        "estimate": str(estimate(plan, ranks=settings.ranks, at_once=settings.at_once)),
        "group": plan[0].group if plan else "",
        "index_error": _index_error(plan),
        "runs": [
            {
                "name": job.name,
                "status": result["status"],
                "steps": result["steps"],
                "seconds": result["stepping_s"],
                "setup_s": result["setup_s"],
                "pixels_per_um": job.resolution,
                "light_path_um": result["time"],
            }
            for job, result in zip(plan, results, strict=True)
        ],
        "rejected": [item.record() for item in rejected],
    }
