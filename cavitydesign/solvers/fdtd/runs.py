"""What every question to FDTD shares: its jobs are run here, and the mode nearest to a wavelength is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cavitydesign.errors import SolverError, Status
from cavitydesign.solvers.ask import Ask, Progress
from cavitydesign.solvers.fdtd.cell import OFFSETS
from cavitydesign.solvers.fdtd.client import find_interpreter, run_jobs
from cavitydesign.solvers.fdtd.estimate import refuse_what_does_not_fit
from cavitydesign.solvers.fdtd.harvest import Line, lines_of_run
from cavitydesign.solvers.fdtd.job import Job, jobs_of_cell
from cavitydesign.solvers.fdtd.settings import Settings


def perform(plan: Sequence[Job], settings: Settings, progress: Progress) -> list[dict[str, Any]]:
    """Run the jobs of a plan and return their results in its order.

    Raises:
        SolverError: they do not fit this machine or the time, which is said before the first starts; or a run failed.
        Unavailable: there is no Meep.
    """
    refuse_what_does_not_fit(plan, settings)
    return run_jobs(
        [(job.name, job.content) for job in plan],
        interpreter=find_interpreter(settings.interpreter),
        ranks=settings.ranks,
        at_once=settings.at_once,
        time_limit_s=settings.time_limit_s,
        folder=settings.folder,
        progress=progress,
    )


def around(wavelength_nm: float, reach: float) -> tuple[float, float]:
    """The window that reaches a share of the wavelength to either side."""
    return (1.0 - reach) * wavelength_nm, (1.0 + reach) * wavelength_nm


def nearest_mode(
    ask: Ask, settings: Settings, *, symmetry: str, pixels_per_um: float, offset: float = OFFSETS[0]
) -> tuple[Job, str, Line]:
    """The mode nearest to the middle of the window, on one grid: the job that shows it, its label and its line.

    Raises:
        SolverError: there is none (of that symmetry, where one is named).
    """
    plan = jobs_of_cell(ask, settings, pixels_per_um=pixels_per_um, offset=offset)
    plan = [job for job in plan if not symmetry or any(label == symmetry for label, _ in job.labels.values())]
    low, high = ask.window_nm
    found = [
        (job, label, line)
        for job, result in zip(plan, perform(plan, settings, ask.progress), strict=True)
        for name, (label, _) in job.labels.items()
        if label != "folded" and (not symmetry or label == symmetry)
        for line in lines_of_run(result, name, where=name, q_min=settings.q_min)[0]
        if low <= line.wavelength_nm <= high
    ]
    if not found:
        raise SolverError(
            f"FDTD finds no {symmetry or 'such'} mode from {low:.1f} to {high:.1f} nm", status=Status.NO_MODES
        )
    return min(found, key=lambda item: abs(item[2].wavelength_nm - 0.5 * (low + high)))


def rung_alone(job: Job, line: Line, *, name: str, narrowest: float, **content: Any) -> Job:
    """The job with a source as narrow as the line (relative width ``narrowest`` at least), and nothing fitted."""
    width = min(0.15, max(narrowest, 3.0 * line.inverse_q)) * line.frequency
    pulse = {"frequency": line.frequency, "width": width, "cutoff": 3.5}
    kept = {key: value for key, value in job.content.items() if key not in ("fit", "channels")}
    kept["sources"] = [{**source, "pulse": pulse} for source in job.content["sources"]]
    return replace(
        job, name=f"{name} of {job.name}", content={**kept, "probes": [], "keep_series": False, **content}
    )
