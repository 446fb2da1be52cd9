"""Design → plain data: one job per mirror class and resolution.

The E vector of a mode at Γ is even (+) or odd (-) under x → -x and y → -y; each pair of signs is a class, run
in a quarter cell with real fields. Labels are those of C4v (square cell with its diagonals), C6v (hexagonal) or
C2v:

    ++  A1, B1 (C4v)   A1, E2 (C6v)   A1 (C2v)        -+  E (C4v)   B1, E1 (C6v)   B1 (C2v)  E along x
    --  A2, B2 (C4v)   A2, E2 (C6v)   A2 (C2v)        +-  E (C4v)   B2, E1 (C6v)   B2 (C2v)  E along y

Within ++ and -- of C4v the sum and the difference of two probes that a diagonal mirror exchanges see one label
each, so near-degenerate modes never share a fit. In a hexagonal supercell the sources come in pairs one primitive
vector apart, and probe pairs tell the genuine modes (sum) from the folded ones (difference).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry.stack import Stack
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.fourier import symmetry_group
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.fdtd.cell import OFFSETS, SimulationCell, dimensions_of, lay_out
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.fdtd.settings import Settings

FORMAT = 1
Point = tuple[float, float, float]
PointGroup = Literal["C4v", "C6v", "C2v", "Cx", "Cy", "1", "1D"]
WINDOWS = ([0.0, 1.0], [0.0, 0.7], [0.0, 0.4], [0.3, 1.0])
"""Parts of the ring-down that are fitted separately; a mode must appear in at least two of them."""

_CLASSES: dict[PointGroup, tuple[str, ...]] = {
    "C4v": ("++", "--", "+-"), "C6v": ("++", "--", "+-", "-+"), "C2v": ("++", "--", "+-", "-+"),
    "Cx": ("+0", "-0"), "Cy": ("0+", "0-"), "1": ("00",), "1D": ("00",),
}  # fmt: skip
"""Mirror classes to run; of a degenerate pair one. "0" stands for no mirror."""
_LABELS = {"++": "A1", "--": "A2", "-+": "B1", "+-": "B2", "+0": "A'", "-0": "A''", "0+": "A'", "0-": "A''"}
_MARGIN = 0.03
_PLACES = ((0.137, 0.291), (0.383, 0.071), (0.219, 0.443), (0.457, 0.331))
_WEIGHTS = {"Ex": (1.0, 0.81), "Ey": (0.42, -0.35), "Ez": (0.67, 0.58)}


@dataclass(frozen=True, slots=True)
class Job:
    """One run: ``content`` is job.json; ``labels`` gives (symmetry, degeneracy) of each fit group."""

    name: str
    parity: str
    resolution: float
    content: dict[str, Any]
    labels: dict[str, tuple[str, int]]
    cell: SimulationCell
    group: PointGroup


def point_group(stack: NumericStack, bloch: tuple[float, float] = (0.0, 0.0)) -> PointGroup:
    """The group of the cell where the Bloch vector keeps both mirrors of Meep's axes, else what is left of these."""
    if stack.is_uniform:
        return "1D"
    group = symmetry_group(stack, bloch=(0.0, 0.0))
    x_mirror, y_mirror = (
        k == 0.0 and any(np.allclose(operation.matrix, np.diag(signs)) for operation in group.operations)
        for k, signs in zip(bloch, ((-1.0, 1.0), (1.0, -1.0)), strict=True)
    )
    if x_mirror and y_mirror:
        return "C4v" if group.name == "C4v" else "C6v" if group.name == "C6v" else "C2v"
    return "Cx" if x_mirror else "Cy" if y_mirror else "1"


def jobs(ask: Ask, settings: Settings) -> list[Job]:
    """Every class on every grid and position on it, coarse first; wanted resolutions that give one grid run once."""
    offsets = OFFSETS[:1] if ask.stack.is_uniform else OFFSETS
    plan = (
        job
        for resolution in sorted(settings.pixels_per_um)
        for offset in offsets
        for job in jobs_of_cell(ask, settings, pixels_per_um=resolution, offset=offset)
    )
    return list({job.name: job for job in plan}.values())


def jobs_of_cell(
    ask: Ask, settings: Settings, *, pixels_per_um: float, offset: float = OFFSETS[0]
) -> list[Job]:
    """Every class at one resolution and position on the grid."""
    _check_bloch(ask)
    group = point_group(resolve_stack(ask.stack, window_nm=ask.window_nm), ask.bloch)
    if ask.device is not None and (group == "C6v" or (group == "C4v" and len(set(ask.device.counts)) > 1)):
        group = "C2v"  # a rectangle of square cells, or any of hexagons, lacks the turns of its cell
    wanted = _CLASSES[group]
    if settings.classes is not None and group not in ("1D", "1"):
        wanted = tuple(parity for parity in wanted if parity in settings.classes)
    cell = lay_out(ask, settings, pixels_per_um=pixels_per_um, offset=offset)
    return [
        Job(
            name=f"{parity} at {cell.resolution:.4g}/um offset {offset:g}",
            parity=parity,
            resolution=cell.resolution,
            content=content,
            labels=labels,
            cell=cell,
            group=group,
        )
        for parity in wanted
        for content, labels in [_content(ask, cell, group=group, parity=parity, settings=settings)]
    ]


def _check_bloch(ask: Ask) -> None:
    """A 1D run has no in-plane wavevector, a 2D run none along its bars."""
    dimensions = dimensions_of(ask.stack)
    if (dimensions == 1 and ask.bloch != (0.0, 0.0)) or (dimensions == 2 and ask.bloch[1] != 0.0):
        rule = "must be (0, 0) for uniform layers" if dimensions == 1 else "must be (kx, 0) for bars along y"
        raise InputError(f"{rule} in FDTD; use the poles solver", key="bloch", value=ask.bloch)


def _content(
    ask: Ask, cell: SimulationCell, *, group: PointGroup, parity: str, settings: Settings
) -> tuple[dict[str, Any], dict[str, tuple[str, int]]]:
    """job.json of one mirror class, and the labels of its fit groups."""
    stack, window_nm = ask.stack, ask.window_nm
    low, high = UNIT_NM / window_nm[1] * (1.0 - _MARGIN), UNIT_NM / window_nm[0] * (1.0 + _MARGIN)
    center, width = 0.5 * (low + high), high - low
    probes, channels, labels = _probes(stack, cell, group, parity)
    symmetries = [
        {"axis": cell.axes.direction(axis), "phase": 1 if sign == "+" else -1}
        for axis, sign in zip("xy", parity, strict=True)
        if sign != "0" and not (axis == "y" and cell.axes.dimensions == 2)
    ]
    longest = settings.duration_um if settings.duration_um is not None else 1200.0 / center
    content = {
        "format": FORMAT,
        **cell.content,
        "symmetries": symmetries,
        "sources": _sources(stack, cell, group, parity, {"frequency": center, "width": 2.0 * width}),
        "probes": probes,
        "channels": channels,
        "run": {
            "duration": longest,
            "first_check": min(longest, 60.0 / center),
            "check_growth": 1.35,
            "chunk": 4.0,
            "sample_every": 1.0 / (8.0 * high),
            "settle": 2.0 * (abs(cell.edges[0] - cell.edges[-1]) + 1.0) if len(cell.edges) else 2.0,
            "converge": {"frequency": 2e-6, "decay": 0.003, "floor": 1e-2},
        },
        "fit": {
            "center": center,
            "width": width,
            "q_min": 0.5 * settings.q_min,
            "density": 1.1,
            "max_error": 0.05,
            "windows": [list(window) for window in WINDOWS],
        },
    }
    if cell.axes.dimensions > 1 and cell.finite is None:
        # in cycles per µm; the strain of a misfitting cell is followed
        kx, ky = (
            k * UNIT_NM / (2.0 * math.pi) / strain for k, strain in zip(ask.bloch, cell.strain, strict=True)
        )
        content |= {"k_point": cell.axes.vector(kx, ky, 0.0), "complex_fields": ask.bloch != (0.0, 0.0)}
    return content, labels


def _probes(
    stack: Stack, cell: SimulationCell, group: PointGroup, parity: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, tuple[str, int]]]:
    """Probes at four odd places in the quarter cell, channels that project onto one label each, and these labels.

    In two dimensions TE (E along the bars) and TM never mix; each run holds one of them, chosen by its y parity.
    """
    folded = _is_folded(stack, cell)
    diagonal = group == "C4v" and parity[0] == parity[1]
    if diagonal:
        names = ("A1", "B1") if parity == "++" else ("B2", "A2")
        labels = {name: (name, 1) for name in names}
    else:
        symmetry = "E" if group == "C4v" else _LABELS.get(parity, "")
        labels = {symmetry or "all": (symmetry, 2 if group in ("C4v", "1D") else 1)}
        labels |= {"folded": ("folded", 1)} if folded else {}
    probes: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    components = _in_two_dimensions(parity) if cell.axes.dimensions == 2 else ("Ex", "Ey", "Ez")
    for number, (x, y, z) in enumerate(_points(cell)):
        for component in components if cell.axes.dimensions > 1 else ("Ex",):
            seen = [(component, (x, y, z))]
            if diagonal:
                seen.append(("E" + {"x": "y", "y": "x", "z": "z"}[component[1]], (y, x, z)))
            elif folded:
                seen.append((component, _next_door(cell, (x, y, z))))
            first = len(probes)
            probes += [{"component": cell.axes.component(c), "point": _placed(cell, at)} for c, at in seen]
            for label, sign in zip(labels, (1.0, -1.0), strict=False):
                terms = [[first, 1.0], [first + 1, sign]][: len(seen)]
                channels.append({"name": f"{label}:{component}{number}", "group": label, "terms": terms})
    return probes, channels, labels


def _is_folded(stack: Stack, cell: SimulationCell) -> bool:
    """Whether the cell holds two primitive ones."""
    return stack.lattice.kind == "hexagonal" and cell.axes.dimensions == 3


def _in_two_dimensions(parity: str) -> tuple[str, ...]:
    return ("Ey",) if parity[1] == "-" else ("Ex", "Ez")


def _heights(cell: SimulationCell) -> list[float]:
    """Heights at which modes are excited and probed: in the two thickest layers, off their middles."""
    layers = sorted(itertools.pairwise(cell.edges), key=lambda tb: tb[1] - tb[0])[:2]
    return [cell.z(0.55 * top + 0.45 * bottom) for top, bottom in layers] or [cell.z(0.0)]


def _points(cell: SimulationCell) -> list[Point]:
    heights = _heights(cell)
    if cell.axes.dimensions == 1:
        top, depth = cell.edges[0], cell.edges[-1] - cell.edges[0]
        return [
            (0.0, 0.0, cell.z(top + fraction * depth)) for fraction in (0.137, 0.291, 0.443, 0.617, 0.839)
        ]
    out = []
    for index, (fx, fy) in enumerate(_PLACES):
        away = [index * max(1, n // 8) % max(1, n // 2) for n in cell.finite] if cell.finite else (0, 0)
        x, y = (p * f + p * n for p, f, n in zip(cell.periods, (fx, fy), away, strict=True))
        out.append((x, y, heights[index % len(heights)]))
    return out


def _sources(
    stack: Stack, cell: SimulationCell, group: PointGroup, parity: str, pulse: dict[str, float]
) -> list[dict[str, Any]]:
    if cell.axes.dimensions == 1:
        places = zip(_points(cell)[1::2], (1.0, -0.83), strict=True)
        return [_dipole(cell, "Ex", point, weight, pulse) for point, weight in places]
    if cell.axes.dimensions == 2:
        components = _in_two_dimensions(parity)
    elif group == "C4v":
        # one in-plane component excites both labels of a class alike; two may cancel in one of them
        components = ("Ey", "Ez") if parity == "+-" else ("Ex", "Ez")
    else:
        components = ("Ex", "Ey", "Ez")
    heights = _heights(cell)
    out = []
    for index, fractions in enumerate(((0.29, 0.12), (0.08, 0.37))):
        away = (index * max(1, cell.finite[0] // 5), cell.finite[1] // 6) if cell.finite else (0, 0)
        x, y = (p * f + p * n for p, f, n in zip(cell.periods, fractions, away, strict=True))
        point = (x, y, heights[index % len(heights)])
        places = [point, _next_door(cell, point)] if _is_folded(stack, cell) else [point]
        out += [_dipole(cell, c, at, _WEIGHTS[c][index], pulse) for c in components for at in places]
    return out


def _next_door(cell: SimulationCell, point: Point) -> Point:
    """The same place in the other primitive cell of a hexagonal supercell."""
    x, y, z = point
    return x + 0.5 * cell.periods[0], y + 0.5 * cell.periods[1], z


def _placed(cell: SimulationCell, point: Point) -> list[Any]:
    """A point in Meep's axes; of a periodic cell the same place in the one that is centred on the origin."""
    x, y = (
        at - period * round(at / period) if period and cell.finite is None else at
        for at, period in zip(point, cell.periods, strict=False)
    )
    return cell.axes.vector(x, y, point[2])


def _dipole(
    cell: SimulationCell, component: str, point: Point, weight: float, pulse: dict[str, float]
) -> dict[str, Any]:
    return {
        "component": cell.axes.component(component),
        "center": _placed(cell, point),
        "amplitude": [weight, 0.0],
        "pulse": pulse,
    }
