"""The field of one mode over one optical period, for a picture or an animation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Array
from cavitydesign.solvers.ask import OWN, Ask, Progress
from cavitydesign.solvers.fdtd.cell import SimulationCell
from cavitydesign.solvers.fdtd.job import Job
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.fdtd.runs import around, nearest_mode, perform, rung_alone
from cavitydesign.solvers.fdtd.solver import Fdtd


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
    settings: Fdtd | None = None,
    *,
    wavelength_nm: float,
    symmetry: str = "",
    frames: int = 24,
    device: Any = OWN,
    bloch: tuple[float, float] = (0.0, 0.0),
    progress: Progress | None = None,
) -> ModeField:
    """Ring the mode nearest to ``wavelength_nm`` (of that symmetry label) alone and record E over one period.

    Two runs at the coarsest resolution of ``settings``: one to find the mode's frequency on this grid, one with a
    narrow source at it. ``device``, ``bloch`` and ``progress`` are those of ``solve``.

    Raises:
        SolverError: no mode lies within 2 % of the wavelength.
    """
    settings = settings if settings is not None else Fdtd()
    window = around(wavelength_nm, 0.02)
    ask = Ask.of(subject, window_nm=window, device=device, bloch=bloch, progress=progress)
    job, label, line = nearest_mode(
        ask, settings, symmetry=symmetry, pixels_per_um=min(settings.pixels_per_um)
    )
    specs = _plane_specs(job)
    portrait = rung_alone(
        job, line, name="field", narrowest=0.03,
        run={"duration": 10.0 / line.frequency, "chunk": 4.0},
        frames={"frequency": line.frequency, "count": frames, "planes": specs},
    )  # fmt: skip
    (shown,) = perform([portrait], settings, ask.progress)
    q = line.q if line.inverse_q > 1.0 / settings.q_max else np.inf
    planes = tuple(_plane(job.cell, spec, shown["frames_npz"]) for spec in specs)
    return ModeField(line.wavelength_nm, q, label, planes)


def _plane_specs(job: Job) -> list[dict[str, Any]]:
    """The planes as the job has them, in Meep's axes."""
    cell = job.cell
    x, y, z = cell.size
    inner = z - 2.0 * cell.pml
    middle = 0.5 * (cell.z(cell.edges[0]) + cell.z(cell.edges[-1]))

    def plane(name: str, size: list[float], *components: str, height: float = 0.0) -> dict[str, Any]:
        return {"name": name, "center": [0.0, 0.0, height], "size": size, "components": list(components)}

    if cell.axes.dimensions == 1:
        return [plane("z", [0.0, 0.0, inner], "Ex")]
    if cell.axes.dimensions == 2:
        return [plane("xz", [x, inner, 0.0], *(("Ez",) if job.parity[1] == "-" else ("Ex", "Ey")))]
    return [
        plane("xz", [x, 0.0, inner], "Ex", "Ey", "Ez"),
        plane("xy", [x, y, 0.0], "Ex", "Ey", "Ez", height=middle),
    ]


def _plane(cell: SimulationCell, spec: dict[str, Any], arrays: dict[str, Array]) -> Plane:
    name = spec["name"]
    back = {cell.axes.component(component): component for component in ("Ex", "Ey", "Ez")}
    extent = []
    for axis in name:
        half = 0.5 * spec["size"]["xyz".index(cell.axes.direction(axis))] * UNIT_NM
        middle = cell.center_z * UNIT_NM if axis == "z" else 0.0
        extent += [middle - half, middle + half]
    left, right, bottom, top = [*extent, 0.0, 0.0][:4]
    components = tuple(back[component] for component in spec["components"])
    frames, eps = np.real(arrays[name]), np.real(arrays[name + "_eps"])
    return Plane(name, (name[0], name[1:]), components, frames, eps, (left, right, bottom, top))
