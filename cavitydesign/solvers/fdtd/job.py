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

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.fdtd.cell import OFFSETS, SimulationCell, dimensions_of, lay_out
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.fdtd.settings import Fdtd

FORMAT = 1
PointGroup = Literal["C4v", "C6v", "C2v", "Cx", "Cy", "1", "1D"]
WINDOWS = ([0.0, 1.0], [0.0, 0.7], [0.0, 0.4], [0.3, 1.0])
"""Parts of the ring-down that are fitted separately; a mode must appear in at least two of them."""

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


def point_group(stack: Stack, bloch: tuple[float, float] = (0.0, 0.0)) -> PointGroup:
    """Symmetry that both the cell and the Bloch vector keep, from the Fourier coefficients of every pattern."""
    if stack.is_uniform:
        return "1D"
    (b1x, b1y), (b2x, b2y) = stack.lattice.reciprocal_per_nm
    order = np.arange(-4, 5)
    m, n = np.meshgrid(order, order, indexing="ij")
    gx, gy = m * b1x + n * b2x, m * b1y + n * b2y

    def keeps(turn: Any) -> bool:
        (a, b), (c, d) = turn
        for layer in stack.layers:
            area = stack.lattice.cell_area_nm2
            ours = _material_coefficients(layer.inclusions, gx, gy)
            turned = _material_coefficients(layer.inclusions, a * gx + b * gy, c * gx + d * gy)
            if any(np.max(np.abs(ours[key] - turned[key])) > 1e-9 * area for key in ours):
                return False
        return True

    x_mirror = keeps([[-1, 0], [0, 1]]) and bloch[0] == 0.0
    y_mirror = keeps([[1, 0], [0, -1]]) and bloch[1] == 0.0
    if x_mirror and y_mirror:
        if stack.lattice.kind == "square" and keeps([[0, 1], [1, 0]]) and bloch == (0.0, 0.0):
            return "C4v"
        c, s = math.cos(math.pi / 3), math.sin(math.pi / 3)
        if stack.lattice.kind == "hexagonal" and keeps([[c, -s], [s, c]]) and bloch == (0.0, 0.0):
            return "C6v"
        return "C2v"
    return "Cx" if x_mirror else "Cy" if y_mirror else "1"


def _material_coefficients(inclusions: Any, gx: Any, gy: Any) -> dict[Any, Any]:
    out: dict[Any, Any] = {}
    for inclusion in inclusions:
        out[inclusion.material] = out.get(inclusion.material, 0.0) + inclusion.pattern.fourier(gx, gy)
    return out


def parities(group: PointGroup) -> tuple[str, ...]:
    """Mirror classes to run; of a degenerate pair one. "0" stands for no mirror."""
    return {
        "C4v": ("++", "--", "+-"),
        "C6v": ("++", "--", "+-", "-+"),
        "C2v": ("++", "--", "+-", "-+"),
        "Cx": ("+0", "-0"),
        "Cy": ("0+", "0-"),
        "1": ("00",),
        "1D": ("00",),
    }[group]


def jobs(ask: Ask, settings: Fdtd) -> list[Job]:
    """Every class at every resolution and position on the grid, coarse first."""
    offsets = OFFSETS[:1] if ask.stack.is_uniform else OFFSETS
    return [
        job
        for resolution in sorted(settings.pixels_per_um)
        for offset in offsets
        for job in jobs_of_cell(ask, settings, pixels_per_um=resolution, offset=offset)
    ]


def _is_oblong(counts: tuple[int, int], group: PointGroup) -> bool:
    """Whether an array of these counts lacks the turns of its cell: a rectangle of square cells, any of hexagons."""
    return group == "C6v" or (group == "C4v" and counts[0] != counts[1])


def jobs_of_cell(ask: Ask, settings: Fdtd, *, pixels_per_um: float, offset: float = OFFSETS[0]) -> list[Job]:
    """Every class at one resolution and position on the grid."""
    _check_bloch(ask)
    group = point_group(ask.stack, ask.bloch)
    if ask.device is not None and _is_oblong(ask.device.counts, group):
        group = "C2v"
    wanted = parities(group)
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
    ask: Ask, cell: SimulationCell, *, group: PointGroup, parity: str, settings: Fdtd
) -> tuple[dict[str, Any], dict[str, tuple[str, int]]]:
    """job.json of one mirror class, and the labels of its fit groups."""
    stack, window_nm = ask.stack, ask.window_nm
    low, high = UNIT_NM / window_nm[1] * (1.0 - _MARGIN), UNIT_NM / window_nm[0] * (1.0 + _MARGIN)
    center, width = 0.5 * (low + high), high - low
    probes, channels, labels = _probes(stack, cell, group, parity)
    at_gamma = ask.bloch == (0.0, 0.0) or cell.axes.dimensions == 1
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
        "sources": _sources(stack, cell, group, parity, center, 2.0 * width),
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
        k = _bloch_vector(ask, cell)
        content["k_point"] = cell.axes.vector(k[0], k[1], 0.0)
        content["complex_fields"] = not at_gamma
    return content, labels


def _bloch_vector(ask: Ask, cell: SimulationCell) -> tuple[float, float]:
    """In Meep's units, cycles per µm; the strain of a misfitting cell is followed."""
    kx, ky = (k * UNIT_NM / (2.0 * math.pi) for k in ask.bloch)
    return kx / cell.strain[0], ky / cell.strain[1]


def _label(group: PointGroup, parity: str) -> tuple[str, int]:
    if group == "1D":
        return "", 2
    if group == "C4v":
        return "E", 2
    if group == "C6v":
        return {"++": "A1", "--": "A2", "-+": "B1", "+-": "B2"}[parity], 1
    if group == "C2v":
        return {"++": "A1", "--": "A2", "+-": "B2", "-+": "B1"}[parity], 1
    return {"+0": "A'", "-0": "A''", "0+": "A'", "0-": "A''"}.get(parity, ""), 1


def _probes(
    stack: Stack, cell: SimulationCell, group: PointGroup, parity: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, tuple[str, int]]]:
    """Probes at four odd places in the quarter cell, and channels that project onto one label each."""
    probes: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []

    def probe(component: str, x: float, y: float, z: float) -> int:
        x, y = _wrap(cell, x, y)
        probes.append({"component": cell.axes.component(component), "point": cell.axes.vector(x, y, z)})
        return len(probes) - 1

    points = _points(cell)
    components = _components(cell)
    diagonal = group == "C4v" and cell.finite is None and parity in ("++", "--")
    diagonal = diagonal or (
        group == "C4v"
        and cell.finite is not None
        and cell.finite[0] == cell.finite[1]
        and parity[0] == parity[1]
    )
    if diagonal:
        even, odd = ("A1", "B1") if parity == "++" else ("B2", "A2")
        labels = {even: (even, 1), odd: (odd, 1)}
        swap = {"x": "y", "y": "x", "z": "z"}
        for number, (x, y, z) in enumerate(points):
            for component in components:
                first, second = probe(component, x, y, z), probe("E" + swap[component[1]], y, x, z)
                for label, sign in ((even, 1.0), (odd, -1.0)):
                    channels.append(_channel(f"{component}{number}", label, [(first, 1.0), (second, sign)]))
        return probes, channels, labels
    symmetry, degeneracy = _label(group, parity)
    if cell.axes.dimensions == 2:
        return _grating_channels(group, points, parity, probe, probes, channels)
    name = symmetry or "all"
    labels = {name: (symmetry, degeneracy)}
    folded = stack.lattice.kind == "hexagonal" and cell.axes.dimensions == 3
    if folded:
        labels["folded"] = ("folded", 1)
    for number, (x, y, z) in enumerate(points):
        for component in components:
            first = probe(component, x, y, z)
            if folded:
                second = probe(component, x + 0.5 * cell.periods[0], y + 0.5 * cell.periods[1], z)
                channels.append(_channel(f"{component}{number}", name, [(first, 1.0), (second, 1.0)]))
                channels.append(_channel(f"{component}{number}", "folded", [(first, 1.0), (second, -1.0)]))
            else:
                channels.append(_channel(f"{component}{number}", name, [(first, 1.0)]))
    return probes, channels, labels


def _grating_channels(
    group: PointGroup, points: Any, parity: str, probe: Any, probes: Any, channels: Any
) -> Any:
    """TE (E along the bars) and TM never mix in two dimensions; each run holds one of them, chosen by its y parity."""
    te = parity[1] == "-"
    symmetry, degeneracy = _label(group, parity)
    for number, (x, y, z) in enumerate(points):
        for component in ("Ey",) if te else ("Ex", "Ez"):
            channels.append(_channel(f"{component}{number}", symmetry, [(probe(component, x, y, z), 1.0)]))
    return probes, channels, {symmetry: (symmetry, degeneracy)}


def _channel(name: str, group: str, terms: list[tuple[int, float]]) -> dict[str, Any]:
    return {"name": f"{group}:{name}", "group": group, "terms": [list(term) for term in terms]}


def _components(cell: SimulationCell) -> tuple[str, ...]:
    return ("Ex",) if cell.axes.dimensions == 1 else ("Ex", "Ey", "Ez")


def _heights(cell: SimulationCell) -> tuple[float, ...]:
    """Heights at which modes are excited and probed: in the two thickest layers, off their middles."""
    layers = sorted(zip(cell.edges[:-1], cell.edges[1:], strict=True), key=lambda tb: tb[1] - tb[0])[:2]
    if not layers:
        return (cell.z(0.0),)
    out = [cell.z(0.55 * top + 0.45 * bottom) for top, bottom in layers]
    return tuple(out)


def _points(cell: SimulationCell) -> list[tuple[float, float, float]]:
    heights = _heights(cell)
    if cell.axes.dimensions == 1:
        top, bottom = cell.edges[0], cell.edges[-1]
        return [
            (0.0, 0.0, cell.z(top + fraction * (bottom - top)))
            for fraction in (0.137, 0.291, 0.443, 0.617, 0.839)
        ]
    px, py = cell.periods
    out = []
    for index, (fx, fy) in enumerate(_PLACES):
        x, y = fx * px, fy * py
        if cell.finite is not None:
            nx, ny = cell.finite
            x += px * ((index * max(1, nx // 8)) % max(1, nx // 2))
            y += py * ((index * max(1, ny // 8)) % max(1, ny // 2)) if py else 0.0
        out.append((x, y, heights[index % len(heights)]))
    return out


def _sources(
    stack: Stack, cell: SimulationCell, group: PointGroup, parity: str, center: float, width: float
) -> list[dict[str, Any]]:
    pulse = {"frequency": center, "width": width}
    if cell.axes.dimensions == 1:
        places = _points(cell)[1::2]
        return [
            _dipole(cell, "Ex", point, weight, pulse)
            for point, weight in zip(places, (1.0, -0.83), strict=True)
        ]
    if cell.axes.dimensions == 2:
        components: tuple[str, ...] = ("Ey",) if parity[1] == "-" else ("Ex", "Ez")
    elif (
        group == "C4v"
    ):  # one in-plane component excites both labels of a class alike; two may cancel in one of them
        components = ("Ey", "Ez") if parity == "+-" else ("Ex", "Ez")
    else:
        components = ("Ex", "Ey", "Ez")
    heights = _heights(cell)
    px, py = cell.periods
    out = []
    folded = stack.lattice.kind == "hexagonal" and cell.axes.dimensions == 3
    for index, (fx, fy) in enumerate(((0.29, 0.12), (0.08, 0.37))):
        for component in components:
            weight = _WEIGHTS[component][index]
            point = (fx * px, fy * py, heights[index % len(heights)])
            if cell.finite is not None:
                point = (
                    point[0] + px * (index * max(1, cell.finite[0] // 5)),
                    point[1] + py * (cell.finite[1] // 6),
                    point[2],
                )
            out.append(_dipole(cell, component, point, weight, pulse))
            if folded:
                moved = (point[0] + 0.5 * px, point[1] + 0.5 * py, point[2])
                out.append(_dipole(cell, component, moved, weight, pulse))
    return out


def _wrap(cell: SimulationCell, x: float, y: float) -> tuple[float, float]:
    """The same place in the cell that is centred on the origin."""
    if cell.finite is not None:
        return x, y
    px, py = cell.periods
    return x - px * round(x / px) if px else x, y - py * round(y / py) if py else y


def _dipole(
    cell: SimulationCell,
    component: str,
    point: tuple[float, float, float],
    weight: float,
    pulse: dict[str, Any],
) -> dict[str, Any]:
    x, y = _wrap(cell, point[0], point[1])
    point = (x, y, point[2])
    return {
        "component": cell.axes.component(component),
        "center": cell.axes.vector(*point),
        "amplitude": [weight, 0.0],
        "pulse": pulse,
    }
