"""The field of one mode over one optical period, for a picture or an animation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cavitydesign.errors import SolverError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Array, Window
from cavitydesign.solvers.fdtd.cell import lay_out
from cavitydesign.solvers.fdtd.client import Progress, find_interpreter, run_jobs
from cavitydesign.solvers.fdtd.harvest import Line, lines_of_run
from cavitydesign.solvers.fdtd.job import Job, job, parities, point_group
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.fdtd.settings import Fdtd


@dataclass(frozen=True, slots=True)
class Plane:
    """E and the permittivity in one plane. ``frames``: (time, component, first axis, second axis), in arbitrary units.

    ``extent_nm`` is (left, right, bottom, top); z = 0 is the bottom of the reference layer.
    """

    name: str
    axes: tuple[str, str]
    components: tuple[str, ...]
    frames: Array = field(repr=False)
    eps: Array = field(repr=False)
    extent_nm: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ModeField:
    """The field of one mode at one resolution. ``wavelength_nm`` and ``q`` are that run's, not extrapolated."""

    wavelength_nm: float
    q: float
    symmetry: str
    planes: tuple[Plane, ...]


def mode_field(
    subject: Design | Stack,
    *,
    wavelength_nm: float,
    symmetry: str = "",
    settings: Fdtd | None = None,
    frames: int = 24,
    window_nm: Window | None = None,
    progress: Progress | None = None,
) -> ModeField:
    """Ring the mode nearest to ``wavelength_nm`` (of that symmetry label) alone and record E over one period.

    Two runs at the coarsest resolution of ``settings``: one to find the mode's frequency on this grid, one with a
    narrow source at it. Raises SolverError when no mode lies within 2 % of the wavelength.
    """
    settings = settings if settings is not None else Fdtd()
    stack = subject.to_stack() if isinstance(subject, Design) else subject
    window = window_nm if window_nm is not None else (0.98 * wavelength_nm, 1.02 * wavelength_nm)
    group = point_group(stack, settings.bloch)
    cell = lay_out(stack, settings=settings, window_nm=window, pixels_per_um=min(settings.pixels_per_um))
    plan = [
        job(stack, cell, group=group, parity=p, settings=settings, window_nm=window) for p in parities(group)
    ]
    plan = [one for one in plan if not symmetry or any(label[0] == symmetry for label in one.labels.values())]
    interpreter = find_interpreter(settings.interpreter)
    options: dict[str, Any] = {
        "interpreter": interpreter, "ranks": settings.ranks, "at_once": settings.at_once,
        "time_limit_s": settings.time_limit_s, "folder": settings.folder, "progress": progress,
    }  # fmt: skip
    results = run_jobs([(one.name, one.content) for one in plan], **options)
    nearest: tuple[float, Job, str, Line] | None = None
    for one, result in zip(plan, results, strict=True):
        for name, (label, _) in one.labels.items():
            if label == "folded" or (symmetry and label != symmetry):
                continue
            for line in lines_of_run(result, name, where=name, q_min=settings.q_min)[0]:
                distance = abs(UNIT_NM / line.frequency / wavelength_nm - 1.0)
                if nearest is None or distance < nearest[0]:
                    nearest = (distance, one, label, line)
    if nearest is None or nearest[0] > 0.02:
        raise SolverError(
            f"FDTD finds no {symmetry or 'such'} mode within 2 % of {wavelength_nm:g} nm",
            status=Status.NO_MODES,
        )
    _, one, label, line = nearest
    (shown,) = run_jobs([(f"field of {one.name}", _portrait(one, line, frames).content)], **options)
    q = 1.0 / line.inverse_q if line.inverse_q > 1.0 / settings.q_max else np.inf
    return ModeField(UNIT_NM / line.frequency, q, label, _planes(one, shown))


def _portrait(one: Job, line: Line, frames: int) -> Job:
    """The same job with a narrow source and frames instead of a fit."""
    pulse = {
        "frequency": line.frequency,
        "width": min(0.15, max(0.03, 3.0 * line.inverse_q)) * line.frequency,
        "cutoff": 3.5,
    }
    content = {
        **one.content,
        "sources": [{**source, "pulse": pulse} for source in one.content["sources"]],
        "probes": [],
        "channels": [],
        "fit": None,
        "keep_series": False,
        "run": {"duration": 10.0 / line.frequency, "chunk": 4.0},
        "frames": {"frequency": line.frequency, "count": frames, "planes": _plane_specs(one)},
    }
    return replace(one, content=content)


def _plane_specs(one: Job) -> list[dict[str, Any]]:
    cell = one.cell
    x, y, z = cell.size
    inner = z - 2.0 * cell.pml
    top, bottom = cell.z(cell.edges[0]), cell.z(cell.edges[-1])
    middle = 0.5 * (top + bottom)
    if cell.axes.dimensions == 3:
        return [
            {
                "name": "xz",
                "center": [0.0, 0.0, 0.0],
                "size": [x, 0.0, inner],
                "components": ["Ex", "Ey", "Ez"],
            },
            {
                "name": "xy",
                "center": [0.0, 0.0, middle],
                "size": [x, y, 0.0],
                "components": ["Ex", "Ey", "Ez"],
            },
        ]
    if cell.axes.dimensions == 2:
        components = ["Ez"] if one.parity[1] == "-" else ["Ex", "Ey"]
        return [{"name": "xz", "center": [0.0, 0.0, 0.0], "size": [x, inner, 0.0], "components": components}]
    return [{"name": "z", "center": [0.0, 0.0, 0.0], "size": [0.0, 0.0, inner], "components": ["Ex"]}]


def _planes(one: Job, result: dict[str, Any]) -> tuple[Plane, ...]:
    cell, arrays = one.cell, result["frames_npz"]
    names = {"xz": ("x", "z"), "xy": ("x", "y"), "z": ("z", "")}
    half_x, half_y = 0.5 * cell.size[0] * UNIT_NM, 0.5 * cell.size[1] * UNIT_NM
    half_z, middle_z = (0.5 * cell.size[2] - cell.pml) * UNIT_NM, cell.center_z * UNIT_NM
    extents = {
        "xz": (-half_x, half_x, middle_z - half_z, middle_z + half_z),
        "xy": (-half_x, half_x, -half_y, half_y),
        "z": (middle_z - half_z, middle_z + half_z, 0.0, 0.0),
    }
    back = {cell.axes.component(name): name for name in ("Ex", "Ey", "Ez")}
    out = []
    for spec in _plane_specs(one):
        components = tuple(back[c] for c in spec["components"])
        name = spec["name"]
        out.append(
            Plane(
                name,
                names[name],
                components,
                np.real(arrays[name]),
                np.real(arrays[name + "_eps"]),
                extents[name],
            )
        )
    return tuple(out)
