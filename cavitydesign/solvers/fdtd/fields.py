"""The field of one mode over one optical period, for a picture or an animation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Array
from cavitydesign.solvers.ask import OWN, Ask, Progress
from cavitydesign.solvers.fdtd.harvest import Line
from cavitydesign.solvers.fdtd.job import Job
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.fdtd.runs import around, nearest_mode, perform
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
        ask,
        settings,
        wavelength_nm=wavelength_nm,
        symmetry=symmetry,
        pixels_per_um=min(settings.pixels_per_um),
    )
    (shown,) = perform([_portrait(job, line, frames)], settings, ask.progress)
    q = 1.0 / line.inverse_q if line.inverse_q > 1.0 / settings.q_max else np.inf
    return ModeField(UNIT_NM / line.frequency, q, label, _planes(job, shown))


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
    return replace(one, name=f"field of {one.name}", content=content)


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
