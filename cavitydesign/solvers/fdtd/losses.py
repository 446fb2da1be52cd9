"""Where a mode of a finite array loses its light: upwards, downwards and through its edges.

The ringing mode's Poynting flux is gathered at its frequency through a box around the array, ``1/Q = Σ 1/Q_i`` with
``1/Q_i = (P_i / Σ P) / Q``. Absorption inside the box is not seen apart: the fluxes share out the radiated part,
and Q must then be the radiative one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.ask import OWN, Ask, Progress
from cavitydesign.solvers.fdtd.cell import OFFSETS, SimulationCell
from cavitydesign.solvers.fdtd.job import Point
from cavitydesign.solvers.fdtd.runs import around, nearest_mode, perform, rung_alone
from cavitydesign.solvers.fdtd.solver import Fdtd


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
    found = [_at_offset(ask, settings, offset, symmetry) for offset in OFFSETS]
    wavelength = sum(one.wavelength_nm for one in found) / len(found)
    names = ("q", "q_up", "q_down", "q_in_plane")
    losses = {name: len(found) / sum(1.0 / getattr(one, name) for one in found) for name in names}
    return ArrayLosses(wavelength, **losses, symmetry=found[0].symmetry)


def _at_offset(ask: Ask, settings: Fdtd, offset: float, symmetry: str) -> ArrayLosses:
    """The losses at one position of the interfaces on the grid (see cell.lay_out)."""
    coarsest = min(settings.pixels_per_um)
    job, label, line = nearest_mode(ask, settings, symmetry=symmetry, pixels_per_um=coarsest, offset=offset)
    run = {
        "duration": max(20.0 / line.frequency, min(4.0 / (-6.283 * line.decay), 400.0 / line.frequency)),
        "settle": 4.0 / line.frequency,
        "chunk": 2.0,
    }
    # the flux planes open when the source is over
    fluxes = [{**spec, "frequency": line.frequency} for spec in _faces(job.cell)]
    (measured,) = perform(
        [rung_alone(job, line, name="losses", narrowest=0.02, fluxes=fluxes, run=run)], settings, ask.progress
    )
    flux = measured["fluxes"]
    up, down, side = (line.q * sum(flux.values()) / flux[name] for name in ("up", "down", "side"))
    return ArrayLosses(line.wavelength_nm, line.q, up, down, side, label)


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

    def face(center: Point, size: Point, along: str, weight: float) -> dict[str, Any]:
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
