"""Where a mode of a finite array loses its light: upwards, downwards and through its edges.

The ringing mode's Poynting flux is gathered at its frequency through a box around the array, ``1/Q = Σ 1/Q_i`` with
``1/Q_i = (P_i / Σ P) / Q``. Absorption inside the box is not seen apart: the fluxes share out the radiated part,
and Q must then be the radiative one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.ask import OWN, Ask, Progress
from cavitydesign.solvers.fdtd.cell import OFFSETS, SimulationCell
from cavitydesign.solvers.fdtd.harvest import Line
from cavitydesign.solvers.fdtd.job import Job
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.fdtd.runs import around, nearest_mode, perform
from cavitydesign.solvers.fdtd.settings import Fdtd


@dataclass(frozen=True, slots=True)
class ArrayLosses:
    """One mode of a finite array at one resolution: Q in all, and of each way out alone."""

    wavelength_nm: float
    q: float
    q_up: float
    q_down: float
    q_in_plane: float
    symmetry: str


def array_losses(
    subject: Design | Stack,
    settings: Fdtd | None = None,
    *,
    wavelength_nm: float,
    symmetry: str = "",
    device: Any = OWN,
    progress: Progress | None = None,
) -> ArrayLosses:
    """Q of the mode nearest to ``wavelength_nm`` in the array of ``device``, split by the way out.

    At the coarsest resolution, as the mean over grid offsets; two runs per mirror class each: a ring-down that
    finds the mode, and one that rings it alone behind flux planes half way between the array and the absorbing
    layer. ``device`` and ``progress`` are those of ``solve``.

    Raises:
        InputError: there is no finite array.
        SolverError: no mode lies within 2 % of the wavelength.
    """
    settings = settings if settings is not None else Fdtd()
    ask = Ask.of(subject, window_nm=around(wavelength_nm, 0.02), device=device, progress=progress)
    if ask.device is None or ask.stack.is_uniform:
        raise InputError("this key is required: losses are those of a finite array", key="device")
    found = [_at_offset(ask, settings, offset, wavelength_nm, symmetry) for offset in OFFSETS]

    def mean_q(name: str) -> float:
        return len(found) / sum(1.0 / getattr(one, name) for one in found)

    wavelength = sum(one.wavelength_nm for one in found) / len(found)
    return ArrayLosses(
        wavelength, mean_q("q"), mean_q("q_up"), mean_q("q_down"), mean_q("q_in_plane"), found[0].symmetry
    )


def _at_offset(ask: Ask, settings: Fdtd, offset: float, wavelength_nm: float, symmetry: str) -> ArrayLosses:
    """The losses at one position of the interfaces on the grid (see cell.lay_out)."""
    job, label, line = nearest_mode(
        ask,
        settings,
        wavelength_nm=wavelength_nm,
        symmetry=symmetry,
        pixels_per_um=min(settings.pixels_per_um),
        offset=offset,
    )
    (measured,) = perform([_behind_fluxes(job, line)], settings, ask.progress)
    flux = measured["fluxes"]
    total = sum(flux.values())
    q = 1.0 / line.inverse_q
    up, down, side = (q * total / flux[name] for name in ("up", "down", "side"))
    return ArrayLosses(UNIT_NM / line.frequency, q, up, down, side, label)


def _behind_fluxes(one: Job, line: Line) -> Job:
    """The job with a narrow source, and flux planes that open when the source is over."""
    pulse = {
        "frequency": line.frequency,
        "width": min(0.15, max(0.02, 3.0 * line.inverse_q)) * line.frequency,
        "cutoff": 3.5,
    }
    content = {key: value for key, value in one.content.items() if key not in ("fit", "channels")}
    content |= {
        "sources": [{**source, "pulse": pulse} for source in one.content["sources"]],
        "probes": [],
        "keep_series": False,
        "fluxes": [{**spec, "frequency": line.frequency} for spec in _faces(one.cell)],
        "run": {
            "duration": max(20.0 / line.frequency, min(4.0 / (-6.283 * line.decay), 400.0 / line.frequency)),
            "settle": 4.0 / line.frequency,
            "chunk": 2.0,
        },
    }
    return replace(one, name=f"losses of {one.name}", content=content)


def _faces(cell: SimulationCell) -> list[dict[str, Any]]:
    """Box half way between the array and the absorbing layer; outward flux counts as positive."""
    assert cell.finite is not None
    x, y, z = (0.5 * length - cell.pml for length in cell.size)
    array_x, array_y = (0.5 * n * p for n, p in zip(cell.finite, cell.periods, strict=True))
    half_x, half_y = 0.5 * (x + array_x), 0.5 * (y + array_y)
    top, bottom = 0.5 * (cell.z(cell.edges[0]) + z), 0.5 * (cell.z(cell.edges[-1]) - z)
    height, middle = top - bottom, 0.5 * (top + bottom)
    flat = cell.axes.dimensions == 2
    vector, axis = cell.axes.vector, cell.axes.direction

    def face(
        center: tuple[float, float, float], size: tuple[float, float, float], along: str, weight: float
    ) -> dict[str, Any]:
        return {"center": vector(*center), "size": vector(*size), "axis": axis(along), "weight": weight}

    across = 0.0 if flat else 2.0 * half_y
    sides = [face((s * half_x, 0.0, middle), (0.0, across, height), "x", s) for s in (1.0, -1.0)]
    if not flat:
        sides += [face((0.0, s * half_y, middle), (2.0 * half_x, 0.0, height), "y", s) for s in (1.0, -1.0)]
    return [
        {"name": "up", "faces": [face((0.0, 0.0, top), (2.0 * half_x, across, 0.0), "z", 1.0)]},
        {"name": "down", "faces": [face((0.0, 0.0, bottom), (2.0 * half_x, across, 0.0), "z", -1.0)]},
        {"name": "side", "faces": sides},
    ]
