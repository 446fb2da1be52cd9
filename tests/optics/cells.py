"""Small stacks that the tests of the mode engine share, and the way from a stack to one symmetry block of it."""

import math
from typing import Any

from cavitydesign.geometry.stack import Stack
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.planewaves import blocks, plane_waves

WINDOW = (560.0, 750.0)


def material(n: complex) -> dict[str, float]:
    """A constant index as a design file writes it."""
    return {"n": complex(n).real, "k": complex(n).imag}


def layer(n: complex, thickness_nm: float, *inclusions: dict[str, Any], gain: bool = False) -> dict[str, Any]:
    """A finite layer."""
    return {
        "material": material(n), "thickness_nm": thickness_nm, "inclusions": list(inclusions), "gain": gain
    }  # fmt: skip


def circle(
    n: complex, radius_nm: float, center_nm: tuple[float, float] = (0.0, 0.0), *, gain: bool = False
) -> dict[str, Any]:
    """A disc."""
    return {
        "shape": "circle", "radius_nm": radius_nm, "center_nm": center_nm, "material": material(n), "gain": gain
    }  # fmt: skip


def rectangle(
    n: complex,
    size_nm: tuple[float, float],
    center_nm: tuple[float, float] = (0.0, 0.0),
    *,
    rotation_deg: float = 0.0,
    gain: bool = False,
) -> dict[str, Any]:
    """A rectangle."""
    return {
        "shape": "rectangle", "size_nm": size_nm, "rotation_deg": rotation_deg, "center_nm": center_nm,
        "material": material(n), "gain": gain,
    }  # fmt: skip


def polygon(
    n: complex, vertices_nm: list[tuple[float, float]], center_nm: tuple[float, float] = (0.0, 0.0)
) -> dict[str, Any]:
    """A polygon."""
    return {"shape": "polygon", "vertices_nm": vertices_nm, "center_nm": center_nm, "material": material(n)}


def stack(
    layers: list[dict[str, Any]],
    *,
    period_nm: float | tuple[float, float] = 360.0,
    kind: str = "square",
    above: complex = 1.0,
    below: complex = 1.46,
    lattice: dict[str, Any] | None = None,
) -> Stack:
    """Layers between two half-spaces, over a lattice; two periods make it rectangular."""
    if lattice is None:
        lattice = {"kind": kind, "period_nm": period_nm}
    if isinstance(period_nm, tuple):
        lattice = {"kind": "rectangular", "period_x_nm": period_nm[0], "period_y_nm": period_nm[1]}
    ends = {"material": material(above)}, {"material": material(below)}
    return Stack.model_validate({"lattice": lattice, "layers": [ends[0], *layers, ends[1]]})


def film_cell(
    *,
    period_nm: float = 360.0,
    film: complex = 1.85,
    core: complex = 2.0,
    above: complex = 1.0,
    below: complex = 1.46,
    film_nm: float = 60.0,
    core_nm: float = 170.0,
    filling: float = 0.3,
    kind: str = "square",
) -> Stack:
    """The reference cell: {air | film, 60 nm | core, 170 nm with circles of film filling 30 % | 1.46}."""
    area = period_nm**2 * (0.5 * math.sqrt(3.0) if kind == "hexagonal" else 1.0)
    radius = math.sqrt(filling * area / math.pi)
    layers = [layer(film, film_nm, gain=True), layer(core, core_nm, circle(film, radius, gain=True))]
    return stack(layers, period_nm=period_nm, kind=kind, above=above, below=below)


def numeric(subject: Stack, *, window_nm: tuple[float, float] = WINDOW) -> NumericStack:
    """Ready for arithmetic, its origin at the centre of highest symmetry."""
    return centred(resolve_stack(subject, window_nm=window_nm))


def block_problem(
    subject: Stack,
    label: str,
    *,
    waves: int = 25,
    bloch: tuple[float, float] = (0.0, 0.0),
    window_nm: tuple[float, float] = WINDOW,
    **options: Any,
) -> BlockProblem:
    """The problem of one symmetry class of a stack."""
    made = numeric(subject, window_nm=window_nm)
    group = symmetry_group(made, bloch=bloch)
    basis = plane_waves(made.lattice, bloch=bloch, count=waves)
    chosen = {block.irrep.label: block for block in blocks(basis, group)}
    return BlockProblem(made, basis, chosen[label], **options)
