"""A stack laid out on Meep's grid: cell, objects and the map from (x, y, z) of the stack to Meep's axes.

::

    3D cell            2D grating (x, z)         1D uniform stack (z)
    Meep X, Y, Z       Meep X = x, Y = z         Meep Z = z
      = x, y, z        Ez = E along the bars     Ex = E in the plane

    z ↑  ── PML ──          superstrate on top, as in the stack; the reference plane (bottom of the lowest
         pad (superstrate)  patterned layer, or of the thickest) lies alike on the grid at every resolution
         layers
         pad (substrate)
         ── PML ──
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry.lattice import Lattice
from cavitydesign.geometry.pattern import Bar, Circle, Rectangle
from cavitydesign.geometry.stack import Inclusion, Stack
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.fdtd.materials import UNIT_NM, Medium, medium
from cavitydesign.solvers.fdtd.settings import Settings

_HEX_STRAIN = 0.003
_FINER_1D = 4.0
_CORNERS = 128
"""Of the prism that an ellipse is drawn as, of the same area: its rim is off by 2e-4 of the longer half axis."""
OFFSETS = (0.25, 0.75)
"""Positions of the interfaces on the grid, in pixels, over which the mean is taken; uniform layers need one only."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where the stack's axes lie in Meep's cell of ``dimensions`` dimensions."""

    dimensions: int

    def vector(self, x: Any, y: Any, z: Any) -> list[Any]:
        """Meep's (X, Y, Z) of a stack position or size; entries that the dimension lacks are dropped to 0."""
        return {3: [x, y, z], 2: [x, z, 0.0], 1: [0.0, 0.0, z]}[self.dimensions]

    def component(self, name: str) -> str:
        """Meep's name of a stack field component."""
        if self.dimensions == 2:
            return name[0] + {"x": "x", "y": "z", "z": "y"}[name[1]]
        return name

    def direction(self, axis: str) -> str:
        """Meep's name of a stack axis."""
        return {"x": "x", "y": "z", "z": "y"}[axis] if self.dimensions == 2 else axis


@dataclass(frozen=True, slots=True)
class SimulationCell:
    """A laid-out stack. Lengths in µm; ``edges``: z of each layer's bottom, superstrate first (last one absent)."""

    axes: Axes
    resolution: float
    size: tuple[float, float, float]
    center_z: float
    pml: float
    strain: tuple[float, float]
    edges: tuple[float, ...]
    content: dict[str, Any]
    media: tuple[Medium, ...]
    periods: tuple[float, float]
    finite: tuple[int, int] | None

    @property
    def voxels(self) -> float:
        """Grid cells of the whole cell, before any symmetry."""
        return float(np.prod([max(1.0, length * self.resolution) for length in self.size if length > 0.0]))

    def z(self, stack_z: float) -> float:
        """Meep's height of a height above the reference plane."""
        return stack_z - self.center_z


def dimensions_of(stack: Stack) -> int:
    """1 for a uniform stack, 2 for lines (nothing varies along y), 3 otherwise."""
    if stack.is_uniform:
        return 1
    if stack.lattice.kind == "oblique":
        raise InputError("Meep's cells have right angles", key="lattice.kind", value="oblique")
    return stack.lattice.dimensions + 1


def pixels_per_period(lattice: Lattice, pixels_per_um: float) -> tuple[int, int, float]:
    """Whole, even numbers of pixels along x and y nearest to the wanted resolution, and the resolution (1/µm).

    Hexagonal: of the rectangular cell Λ x √3 Λ; numbers whose ratio is √3 to 0.3 % are taken, and the misfit is shared
    as a traceless strain, which shifts no wavelength of a symmetric mode to first order. Rectangular: likewise.
    """
    x, y = lattice.periods_nm
    nx_wanted = x / UNIT_NM * pixels_per_um
    if lattice.kind in ("line", "square"):
        n = max(4, 2 * round(0.5 * nx_wanted))
        return n, n, n / (x / UNIT_NM)
    ratio = math.sqrt(3.0) if lattice.kind == "hexagonal" else y / x

    def cost(pair: tuple[int, int]) -> float:
        strain = abs(pair[1] / (pair[0] * ratio) - 1.0)
        return abs(math.log(pair[0] / nx_wanted)) + max(0.0, strain - _HEX_STRAIN) * 1e3 + 20.0 * strain

    even = range(4, 2 * int(nx_wanted) + 40, 2)
    n, m = min(((n, max(4, 2 * round(0.5 * n * ratio))) for n in even), key=cost)
    return n, m, math.sqrt(n * m / (x * x * ratio)) * UNIT_NM


def lay_out(
    ask: Ask, settings: Settings, *, pixels_per_um: float, offset: float = OFFSETS[0]
) -> SimulationCell:
    """Cell, objects and media of a stack at one resolution, its reference plane ``offset`` pixels below a grid plane.

    Meep smooths a pixel that two materials share and not one that three do, as at the rim of a hole's floor. There
    the material at the pixel's middle is taken, so results jump (0.05-0.1 % of λ, 10 % of Q at 24 pixels per
    period) when an interface crosses a grid plane. The mean over offsets 1/4 and 3/4 has every interface once on
    either side.
    """
    stack, window_nm = ask.stack, ask.window_nm
    axes = Axes(dimensions_of(stack))
    resolution, periods, strain = _grid(stack, axes, pixels_per_um)
    media, names = _media(stack, window_nm, settings)
    numeric = resolve_stack(stack, window_nm=window_nm)
    edges = _edges(stack, [layer.thickness_nm / UNIT_NM for layer in numeric.layers])
    outer = (media[names[stack.layers[end].material]].content["epsilon"] for end in (0, -1))
    pad, pml = _margins(stack, window_nm=window_nm, settings=settings, outer_index=math.sqrt(max(outer)))
    dx = 1.0 / resolution
    top, bottom = edges[0] + pad + pml, edges[-1] - pad - pml
    up, down = math.ceil(top / dx - 1e-9), math.floor(bottom / dx + 1e-9)
    up += (up - down) % 2
    center_z = (0.5 * (up + down) + offset) * dx
    finite = _array(ask) if axes.dimensions > 1 else None
    in_plane = periods
    if finite is not None:
        margin = 2.0 * math.ceil((pad + pml) / dx) * dx
        in_plane = (finite[0] * periods[0] + margin, finite[1] * periods[1] + margin if periods[1] else 0.0)
    size = (in_plane[0], in_plane[1], (up - down) * dx)
    content = {
        "dimensions": axes.dimensions,
        "resolution": resolution,
        "cell": axes.vector(*size),
        "materials": {name: item.content for name, item in media.items()},
        "default_material": names[stack.layers[0].material],
        "objects": _objects(stack, axes, edges, center_z, names, -0.5 * size[2], strain, finite),
        "boundary_layers": [{"thickness": pml, **({} if finite else {"axis": axes.direction("z")})}],
    }
    return SimulationCell(
        axes=axes,
        resolution=resolution,
        size=size,
        center_z=center_z,
        pml=pml,
        strain=strain,
        edges=tuple(edges),
        content=content,
        media=tuple(media.values()),
        periods=periods,
        finite=finite,
    )


def _array(ask: Ask) -> tuple[int, int] | None:
    """Periods of the finite array; None for the infinite one."""
    if ask.device is None:
        return None
    if ask.device.shift_periods:
        rule = "no solver computes a shift in the middle of an array yet (masks draw it); leave it out"
        raise InputError(rule, key="device.shift_periods", value=ask.device.shift_periods)
    return ask.device.counts


def _grid(
    stack: Stack, axes: Axes, pixels_per_um: float
) -> tuple[float, tuple[float, float], tuple[float, float]]:
    """Resolution (1/µm), periods (µm; 0 where there are none) and the strain that fits them to the grid."""
    lattice = stack.lattice
    if axes.dimensions == 1:
        return _FINER_1D * pixels_per_um, (0.0, 0.0), (1.0, 1.0)
    nx, ny, resolution = pixels_per_period(lattice, pixels_per_um)
    if axes.dimensions == 2:
        return resolution, (nx / resolution, 0.0), (1.0, 1.0)
    periods = (nx / resolution, ny / resolution)
    x_nm = lattice.periods_nm[0]
    y_nm = x_nm * math.sqrt(3.0) if lattice.kind == "hexagonal" else lattice.periods_nm[1]
    return resolution, periods, (periods[0] / x_nm * UNIT_NM, periods[1] / y_nm * UNIT_NM)


def _margins(
    stack: Stack, *, window_nm: tuple[float, float], settings: Settings, outer_index: float
) -> tuple[float, float]:
    """(pad, pml) in µm: the pad holds the evanescent orders down to 1e-5 of their energy, the PML one wave."""
    longest = window_nm[1] / UNIT_NM
    pad = 0.5 * longest
    if not stack.is_uniform:
        g = float(np.min(np.linalg.norm(stack.lattice.reciprocal_per_nm, axis=1))) * UNIT_NM
        k = 2.0 * math.pi / longest * outer_index
        if g > 1.02 * k:
            pad = max(pad, min(math.log(1e5) / (2.0 * math.sqrt(g * g - k * k)), 1.5 * longest))
    wanted = zip((settings.pad_nm, settings.pml_nm), (pad, 0.8 * longest), strict=True)
    pad, pml = (usual if given is None else given / UNIT_NM for given, usual in wanted)
    return pad, pml


def _media(
    stack: Stack, window_nm: tuple[float, float], settings: Settings
) -> tuple[dict[str, Medium], dict[Any, str]]:
    media, names = {}, {material: f"material{index}" for index, material in enumerate(stack.materials)}
    for material, name in names.items():
        try:
            media[name] = medium(material, window_nm=window_nm, settings=settings)
        except InputError as error:
            raise InputError(error.message, key=f"material {material}", value=error.value) from None
    return media, names


def _edges(stack: Stack, thick: list[float]) -> list[float]:
    """Heights of the interfaces from the top; 0 is the bottom of the lowest patterned layer, or of the thickest."""
    patterned = [i for i, layer in enumerate(stack.layers[1:-1]) if layer.inclusions]
    reference = patterned[-1] if patterned else int(np.argmax(thick)) if thick else -1
    edges = -np.cumsum([0.0, *thick])
    return (edges - edges[reference + 1]).tolist()


def _objects(
    stack: Stack,
    axes: Axes,
    edges: list[float],
    center_z: float,
    names: dict[Any, str],
    lowest: float,
    strain: tuple[float, float],
    finite: tuple[int, int] | None,
) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for index, layer in enumerate(stack.layers[1:], start=1):
        top = edges[index - 1] - center_z
        # the substrate ends exactly at the cell, since Meep would repeat what sticks out at the other end
        bottom = edges[index] - center_z if index < len(edges) else lowest
        middle, height = 0.5 * (top + bottom), top - bottom
        size = axes.vector("inf", "inf", height) if axes.dimensions != 2 else ["inf", height, "inf"]
        block = {"shape": "block", "size": size, "center": axes.vector(0.0, 0.0, middle)}
        out.append({**block, "material": names[layer.material], "gain": layer.gain})
        for inclusion in layer.inclusions:
            for x, y in _sites(stack, finite):
                shape = _shape(inclusion, names[inclusion.material], (x, y), (bottom, top), strain)
                out.append({**shape, "gain": inclusion.gain})
    return out


def _sites(stack: Stack, finite: tuple[int, int] | None) -> list[tuple[float, float]]:
    """Origins (nm) of the unit cells to draw; periodic cells are repeated by Meep itself."""
    (ax, _), (bx, by) = stack.lattice.vectors_nm
    if finite is None:
        return [(0.0, 0.0), (bx, by)] if stack.lattice.kind == "hexagonal" else [(0.0, 0.0)]
    if stack.lattice.kind == "hexagonal":
        raise InputError(
            "finite arrays in FDTD are square or rectangular", key="lattice.kind", value="hexagonal"
        )
    nx, ny = finite
    rows = [0.0] if dimensions_of(stack) == 2 else [(j - 0.5 * (ny - 1)) * by for j in range(ny)]
    return [((i - 0.5 * (nx - 1)) * ax, y) for i in range(nx) for y in rows]


def _shape(
    inclusion: Inclusion,
    material: str,
    site_nm: tuple[float, float],
    z: tuple[float, float],
    strain: tuple[float, float],
) -> dict[str, Any]:
    pattern = inclusion.pattern
    sx, sy = strain[0] / UNIT_NM, strain[1] / UNIT_NM
    x, y = (site_nm[0] + pattern.center_nm[0]) * sx, (site_nm[1] + pattern.center_nm[1]) * sy
    middle, height = 0.5 * (z[0] + z[1]), z[1] - z[0]
    if isinstance(pattern, Bar):
        size = [pattern.width_nm * sx, height, "inf"]
        return {"shape": "block", "size": size, "center": [x, middle, 0.0], "material": material}
    if isinstance(pattern, Circle):
        shape: dict[str, Any] = {"shape": "cylinder", "radius": pattern.radius_nm / UNIT_NM, "height": height}
        return {**shape, "center": [x, y, middle], "material": material}
    if isinstance(pattern, Rectangle) and not pattern.corner_radius_nm:
        angle = math.radians(pattern.rotation_deg)
        c, s = round(math.cos(angle), 15), round(math.sin(angle), 15)
        shape = {"shape": "block", "size": [pattern.size_nm[0] * sx, pattern.size_nm[1] * sy, height]}
        return {
            **shape,
            "center": [x, y, middle],
            "e1": [c, s, 0.0],
            "e2": [-s, c, 0.0],
            "material": material,
        }
    outline = pattern.outline(_CORNERS, of_same_area=True)
    corners = [[(site_nm[0] + vx) * sx, (site_nm[1] + vy) * sy, z[0]] for vx, vy in outline]
    return {"shape": "prism", "vertices": corners, "height": height, "material": material}
