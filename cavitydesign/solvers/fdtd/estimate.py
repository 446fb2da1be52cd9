"""Memory and time of a job before it starts, and the refusal of what will not fit.

Measured with Meep 1.25, double precision, one rank of one x86 core: 3D real fields 40 million grid cells a second
while they fit the cache, half as many when they do not, and about 200 bytes a cell (fields, permittivity, PML);
complex fields take twice both. A run stops when its fit has converged, typically in a sixth of its longest
duration. The figures are meant to be right within a factor of two to three: enough to tell minutes from days.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cavitydesign.errors import SolverError, Status
from cavitydesign.solvers.fdtd.job import Job
from cavitydesign.solvers.fdtd.settings import Settings

_CELLS_PER_S = {1: 2e7, 2: 2e7, 3: 4e7}
_OUT_OF_CACHE_CELLS, _SLOWER = 1e5, 2.0
_TYPICAL = 0.15
_STEP_OVERHEAD_S = {1: 1.2e-5, 2: 4e-5, 3: 9e-5}
_BYTES_PER_CELL = {1: 200.0, 2: 200.0, 3: 240.0}
_BASE_BYTES = 120e6


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a list of jobs costs. ``memory_gb`` is that of the runs that go side by side, ``seconds`` typical."""

    cells: float
    steps: float
    memory_gb: float
    seconds: float

    def __str__(self) -> str:
        size = f"{self.cells / 1e6:.3g} million grid cells, {self.steps:.3g} steps, {self.memory_gb:.2g} GB"
        return f"{size}, about {_human(self.seconds)}"


def estimate(jobs: Sequence[Job], *, ranks: int = 1, at_once: int = 1) -> Estimate:
    """Typical cost of all jobs."""
    cells_most, steps_all, seconds, memory = 0.0, 0.0, 0.0, []
    for job in jobs:
        dimensions = job.content["dimensions"]
        mirrors = len(job.content["symmetries"])
        weight = 2.0 if job.content.get("complex_fields") else 1.0
        cells = job.cell.voxels / 2.0**mirrors
        pulse = 10.0 / job.content["sources"][0]["pulse"]["width"] if job.content["sources"] else 0.0
        run = job.content["run"]
        # two steps a pixel of light path: Meep's Courant number is 0.5
        steps = 2.0 * job.resolution * (pulse + run.get("settle", 0.0) + _TYPICAL * run["duration"])
        speed = _CELLS_PER_S[dimensions] / (_SLOWER if weight * cells / ranks > _OUT_OF_CACHE_CELLS else 1.0)
        seconds += steps * (weight * cells / speed / ranks + _STEP_OVERHEAD_S[dimensions])
        memory.append(weight * cells * _BYTES_PER_CELL[dimensions] + ranks * _BASE_BYTES)
        cells_most, steps_all = max(cells_most, cells), steps_all + steps
    together = sum(sorted(memory, reverse=True)[:at_once])
    return Estimate(cells_most, steps_all, together / 1e9, seconds / min(at_once, max(1, len(jobs))))


def refuse_what_does_not_fit(jobs: Sequence[Job], settings: Settings) -> Estimate:
    """The estimate, or a SolverError that tells it and what would make the job fit."""
    cost = estimate(jobs, ranks=settings.ranks, at_once=settings.at_once)
    limit, time_limit_s = settings.memory_limit_gb, settings.time_limit_s
    room = limit if limit is not None else 0.9 * available_memory_gb()
    dimensions = max((job.content["dimensions"] for job in jobs), default=1)
    if cost.memory_gb > room:
        finest = max(job.resolution for job in jobs)
        fits = finest * (room / cost.memory_gb) ** (1.0 / dimensions)
        raise SolverError(
            f"the FDTD job needs {cost} but {room:.3g} GB are free; it fits at {fits:.0f} pixels per um, "
            "with fewer periods, or on more machines (docs/fdtd-on-slurm.md)",
            status=Status.PARTIAL,
        )
    if cost.seconds > time_limit_s:
        ratio = time_limit_s / cost.seconds
        slower = max(job.resolution for job in jobs) * ratio ** (1.0 / (dimensions + 1))
        raise SolverError(
            f"the FDTD job needs {cost}, more than time_limit_s = {time_limit_s:.0f}; it fits with time_limit_s = "
            f"{math.ceil(cost.seconds / 60.0) * 60}, with a finest resolution of {slower:.0f} pixels per um, "
            f"with duration_um = {max(job.content['run']['duration'] for job in jobs) * ratio:.0f}, "
            f"or with ranks = {max(2, math.ceil(settings.ranks / ratio))} on a cluster (docs/fdtd-on-slurm.md)",
            status=Status.PARTIAL,
        )
    return cost


def available_memory_gb() -> float:
    """Free memory of this machine as the kernel tells it; 8 GB where it does not."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return float(line.split()[1]) / 1e6
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (ValueError, OSError):
        return 8.0


def _human(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
