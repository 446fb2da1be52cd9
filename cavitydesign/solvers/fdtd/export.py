"""Jobs as folders for a cluster: written here, run there by Slurm, read here again as if they had run here."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cavitydesign.files import write_atomically
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Window
from cavitydesign.solvers.ask import OWN, Ask
from cavitydesign.solvers.fdtd.client import WORKER_FILES, digest
from cavitydesign.solvers.fdtd.estimate import Estimate, estimate
from cavitydesign.solvers.fdtd.job import jobs
from cavitydesign.solvers.fdtd.settings import Settings


@dataclass(frozen=True, slots=True)
class Exported:
    """``command`` is what to type on the cluster's login node; ``folders`` hold one job each."""

    folder: Path
    folders: tuple[Path, ...]
    script: Path
    command: str
    estimate: Estimate


def export_jobs(
    subject: Design | Stack,
    settings: Settings,
    folder: str | Path,
    *,
    window_nm: Window | None = None,
    device: Any = OWN,
    bloch: tuple[float, float] = (0.0, 0.0),
    python: str = "python3",
) -> Exported:
    """Write every run of a solve, the worker and a Slurm script into ``folder``; ``python`` has Meep on the cluster.

    When the results are back (same folder), ``solve(subject, replace(settings, folder=folder))`` reads them.
    ``window_nm``, ``device`` and ``bloch`` are those of that ``solve``.
    """
    base = Path(folder).resolve()
    plan = jobs(Ask.of(subject, window_nm=window_nm, device=device, bloch=bloch), settings)
    for file in WORKER_FILES:
        write_atomically(base / file.name, file.read_bytes())
    folders = []
    for job in plan:
        own = base / digest(job.content)
        write_atomically(own / "job.json", json.dumps(job.content).encode())
        folders.append(own)
    cost = estimate(plan, ranks=settings.ranks)
    script = _script(folders, cost, ranks=settings.ranks, python=python, count=len(plan))
    write_atomically(base / "run.sbatch", script.encode())
    return Exported(
        base, tuple(folders), base / "run.sbatch", f"cd {shlex.quote(str(base))} && sbatch run.sbatch", cost
    )


def _script(folders: list[Path], cost: Estimate, *, ranks: int, python: str, count: int) -> str:
    minutes = max(10, int(3.0 * cost.seconds / max(1, count) / 60.0) + 1)
    memory = max(1, int(1.5 * cost.memory_gb * 1024 / ranks) + 200)
    names = " ".join(folder.name for folder in folders)
    return f"""#!/bin/bash
#SBATCH --job-name=cavitydesign-fdtd
#SBATCH --array=0-{count - 1}
#SBATCH --ntasks={ranks}
#SBATCH --mem-per-cpu={memory}M
#SBATCH --time={minutes}
#SBATCH --output=%x-%A-%a.log
# {cost}
set -eu
export OMP_NUM_THREADS=1
runs=({names})
run=${{runs[$SLURM_ARRAY_TASK_ID]}}
[ -e "$run/result.json" ] || mpirun -n {ranks} {shlex.quote(python)} -I worker.py "$run"
"""
