"""Point groups: their operations close, their irreps are orthogonal and complete, cells get the group they have."""

import math

import numpy as np
import pytest

from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.symmetry import find_group, point_group
from tests.optics.cells import WINDOW, circle, layer, polygon, rectangle, stack

GROUPS = [(n, axis) for n in (1, 2, 3, 4, 6) for axis in (None, 0.0, math.pi / 4, 0.3)]


def _regular_representation(group):
    """Permutation matrices of the group acting on its own elements: also a proof that the operations close."""
    matrices = [op.matrix for op in group.operations]
    found = []
    for g in matrices:
        image = np.zeros((len(matrices), len(matrices)))
        for i, h in enumerate(matrices):
            (j,) = [j for j, m in enumerate(matrices) if np.allclose(m, g @ h, atol=1e-12)]
            image[j, i] = 1.0
        found.append(image)
    return found


@pytest.mark.parametrize(("n", "axis"), GROUPS)
def test_irreps_project_and_are_complete(n, axis):
    """In the regular representation an irrep of dimension d occurs d times: the ranks of the projectors say so."""
    group = point_group(n, axis)
    regular = _regular_representation(group)
    projectors = [
        irrep.degeneracy / len(regular) * sum(c * g for c, g in zip(irrep.d11, regular, strict=True))
        for irrep in group.irreps
    ]
    total = 0
    for i, (irrep, p) in enumerate(zip(group.irreps, projectors, strict=True)):
        np.testing.assert_allclose(p @ p, p, atol=1e-12)
        for other in projectors[:i]:
            np.testing.assert_allclose(p @ other, 0.0, atol=1e-12)
        rank = round(float(np.trace(p)))
        assert rank == irrep.degeneracy
        total += rank * (1 if irrep.mixed else irrep.degeneracy)
    assert total == len(group.operations)
    assert len({irrep.label for irrep in group.irreps}) == len(group.irreps)


def test_find_group_takes_the_largest_that_passes():
    def rectangle_like(matrix):
        return np.allclose(np.abs(matrix), np.eye(2))

    assert find_group(rectangle_like, highest=4).name == "C2v"
    assert find_group(lambda matrix: np.linalg.det(matrix) > 0, highest=6).name == "C6"
    assert find_group(lambda matrix: np.allclose(matrix, np.eye(2)), highest=6).name == "C1"


TRIANGLE = [(80.0 * math.cos(a), 80.0 * math.sin(a)) for a in 2.0 * math.pi * np.arange(3) / 3]
PINWHEEL = [
    point
    for j in range(4)
    for point in (
        (90 * math.cos(math.pi * j / 2), 90 * math.sin(math.pi * j / 2)),
        (40 * math.cos(math.pi * j / 2 + 0.5), 40 * math.sin(math.pi * j / 2 + 0.5)),
    )
]
SCALENE = [(-80.0, -50.0), (90.0, -60.0), (10.0, 70.0)]
KITE = [(0.0, -90.0), (60.0, 20.0), (0.0, 60.0), (-60.0, 20.0)]
CELLS = [
    ("C4v", "square", [circle(1.5, 90.0)]),
    ("C4v", "square", [rectangle(1.5, (120.0, 120.0))]),
    ("C4v", "square", [rectangle(1.5, (120.0, 120.0), rotation_deg=45.0)]),
    ("C4", "square", [rectangle(1.5, (120.0, 120.0), rotation_deg=20.0)]),
    ("C4", "square", [polygon(1.5, PINWHEEL)]),
    ("C2v", "square", [rectangle(1.5, (120.0, 90.0))]),
    ("C2v", "square", [rectangle(1.5, (120.0, 90.0), rotation_deg=45.0)]),
    ("C2", "square", [rectangle(1.5, (120.0, 90.0), rotation_deg=20.0)]),
    ("Cs", "square", [polygon(1.5, TRIANGLE)]),
    ("Cs", "square", [polygon(1.5, KITE)]),
    ("C1", "square", [polygon(1.5, SCALENE)]),
    ("C6v", "hexagonal", [circle(1.5, 90.0)]),
    ("C3v", "hexagonal", [polygon(1.5, TRIANGLE)]),
    ("C2v", "hexagonal", [rectangle(1.5, (120.0, 90.0))]),
    ("C2v", (360.0, 420.0), [circle(1.5, 90.0)]),
    ("Cs", (360.0, 420.0), [circle(1.5, 60.0), circle(1.7, 50.0, (0.0, 150.0))]),
]


@pytest.mark.parametrize(("name", "kind", "inclusions"), CELLS)
@pytest.mark.parametrize("moved", [(0.0, 0.0), (37.0, -21.0)])
def test_cells_get_their_group(name, kind, inclusions, moved):
    """Also when the whole pattern is moved in the cell: the origin is put back where the symmetry is highest."""
    x, y = moved
    placed = [
        {
            **item,
            "center_nm": (item.get("center_nm", (0.0, 0.0))[0] + x, item.get("center_nm", (0.0, 0.0))[1] + y),
        }
        for item in inclusions
    ]
    made = stack(
        [layer(2.0, 170.0, *placed)],
        period_nm=kind if isinstance(kind, tuple) else 360.0,
        kind=kind if isinstance(kind, str) else "rectangular",
    )
    found = symmetry_group(centred(resolve_stack(made, window_nm=WINDOW)), bloch=(0.0, 0.0))
    assert found.name == name


def test_two_layers_share_only_their_common_symmetry():
    made = stack([layer(2.0, 100.0, circle(1.5, 90.0)), layer(2.0, 80.0, rectangle(1.5, (120.0, 60.0)))])
    assert symmetry_group(resolve_stack(made, window_nm=WINDOW), bloch=(0.0, 0.0)).name == "C2v"
    off = stack([layer(2.0, 100.0, circle(1.5, 90.0)), layer(2.0, 80.0, circle(1.5, 60.0, (50.0, 0.0)))])
    assert symmetry_group(centred(resolve_stack(off, window_nm=WINDOW)), bloch=(0.0, 0.0)).name == "Cs"


SQUARE, HEXAGON = 2.0 * math.pi / 360.0, 4.0 * math.pi / 3.0 / 360.0


@pytest.mark.parametrize(
    ("kind", "bloch", "name"),
    [
        ("square", (0.1 * SQUARE, 0.0), "Cs"),  # Δ line
        ("square", (0.1 * SQUARE, 0.1 * SQUARE), "Cs"),  # Σ line
        ("square", (0.1 * SQUARE, 0.03 * SQUARE), "C1"),
        ("square", (0.5 * SQUARE, 0.0), "C2v"),  # X
        ("square", (0.5 * SQUARE, 0.5 * SQUARE), "C4v"),  # M
        ("square", (SQUARE, 0.0), "C4v"),  # Γ of the next zone
        ("hexagonal", (HEXAGON, 0.0), "C3v"),  # K
    ],
)
def test_group_of_the_wavevector(kind, bloch, name):
    made = stack([layer(2.0, 170.0, circle(1.5, 90.0))], kind=kind)
    assert symmetry_group(resolve_stack(made, window_nm=WINDOW), bloch=bloch).name == name
