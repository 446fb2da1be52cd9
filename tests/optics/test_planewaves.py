"""The symmetry-adapted plane-wave basis: whole shells, orthonormal, complete, each column of its irrep."""

import math

import numpy as np
import pytest

from cavitydesign.geometry.lattice import HexagonalLattice, RectangularLattice, SquareLattice
from cavitydesign.optics.patterned.planewaves import blocks, moved_to, plane_waves
from cavitydesign.optics.patterned.symmetry import point_group

SQUARE = SquareLattice(period_nm=360.0)
HEXAGONAL = HexagonalLattice(period_nm=360.0)
RECTANGULAR = RectangularLattice(period_x_nm=300.0, period_y_nm=410.0)
K = 4.0 * math.pi / 3.0 / 360.0
CASES = [
    (SQUARE, (0.0, 0.0), 4, 0.0),
    (SQUARE, (0.0, 0.0), 4, None),
    (SQUARE, (0.0, 0.0), 2, math.pi / 4),
    (SQUARE, (0.002, 0.0), 1, 0.0),
    (SQUARE, (0.002, 0.001), 1, None),
    (SQUARE, (math.pi / 360, math.pi / 360), 4, 0.0),
    (HEXAGONAL, (0.0, 0.0), 6, 0.0),
    (HEXAGONAL, (0.0, 0.0), 6, None),
    (HEXAGONAL, (0.0, 0.0), 3, 0.0),
    (HEXAGONAL, (0.0, 0.0), 3, math.pi / 2),
    (HEXAGONAL, (K, 0.0), 3, 0.0),
    (RECTANGULAR, (0.0, 0.0), 2, 0.0),
    (RECTANGULAR, (0.0, 0.0), 1, math.pi / 2),
]


def columns(block):
    """The block's columns in the full basis of 2N components, L first: shape (2N, m)."""
    return np.concatenate([block.l_part, block.t_part])


def representation(waves, op):
    """How one operation acts on the Cartesian plane-wave amplitudes of a vector field, turned into (L, T)."""
    count = len(waves)
    turned = waves.vectors @ op.matrix.T
    image = [int(np.argmin(np.hypot(*(waves.vectors - vector).T))) for vector in turned]
    full = np.zeros((2 * count, 2 * count))
    units = np.stack([waves.along, waves.across])  # (2, N, 2)
    for i, j in enumerate(image):
        np.testing.assert_allclose(waves.vectors[j], turned[i], atol=1e-9)
        for a in range(2):
            moved = op.matrix @ units[a, i]
            for b in range(2):
                full[b * count + j, a * count + i] = units[b, j] @ moved
    return full


@pytest.mark.parametrize(("lattice", "bloch", "n", "axis"), CASES)
@pytest.mark.parametrize("count", [1, 25, 49])
def test_orthonormal_and_complete(lattice, bloch, n, axis, count):
    waves = plane_waves(lattice, bloch=bloch, count=count)
    assert len(waves) >= count
    found = blocks(waves, point_group(n, axis))
    total = 0
    for i, block in enumerate(found):
        own = columns(block)
        np.testing.assert_allclose(own.T @ own, np.eye(block.size), atol=1e-12)
        np.testing.assert_allclose(
            block.scalars.T @ block.scalars, np.eye(block.scalars.shape[1]), atol=1e-12
        )
        for other in found[:i]:
            np.testing.assert_allclose(columns(other).T @ own, 0.0, atol=1e-12)
        total += block.size * (1 if block.irrep.mixed else block.irrep.degeneracy)
    assert total == 2 * len(waves)


@pytest.mark.parametrize(("lattice", "bloch", "n", "axis"), CASES)
def test_columns_transform_as_their_label_says(lattice, bloch, n, axis):
    """From the fields themselves, not from the projector: 1D classes by their character, 2D ones by their trace."""
    waves, group = plane_waves(lattice, bloch=bloch, count=25), point_group(n, axis)
    matrices = [representation(waves, op) for op in group.operations]
    for block in blocks(waves, group):
        own = columns(block)
        for matrix, d11 in zip(matrices, block.irrep.d11, strict=True):
            if block.irrep.degeneracy == 1:
                np.testing.assert_allclose(matrix @ own, d11 * own, atol=1e-9)
            else:  # the first partner: its overlap with its image is the diagonal element
                trace = float(np.trace(own.T @ matrix @ own))
                assert trace == pytest.approx(float(d11) * block.size, abs=1e-9)


def test_labels_at_gamma_mean_what_textbooks_say():
    """C4v: the first TE waves (E across G) are A2, B2, E; the first TM waves (E along G) A1, B1, E."""
    waves = plane_waves(SQUARE, bloch=(0.0, 0.0), count=5)
    kinds = {}
    for block in blocks(waves, point_group(4, 0.0)):
        moving = waves.lengths[block.waves] > 0.0
        kinds[block.irrep.label] = (
            int((moving & block.t_column).sum()),
            int((moving & ~block.t_column).sum()),
        )
    assert kinds == {"A1": (0, 1), "A2": (1, 0), "B1": (0, 1), "B2": (1, 0), "E": (1, 1)}


def test_whole_shells_and_one_length_per_column():
    waves = plane_waves(HEXAGONAL, bloch=(0.0, 0.0), count=8)
    assert len(waves) == 13  # 1 + 6 + 6
    assert waves.lengths[0] == 0.0
    for block in blocks(waves, point_group(6, 0.0)):
        for part in (*block.l_part.T, *block.t_part.T):
            there = waves.lengths[np.abs(part) > 1e-9]
            assert there.size == 0 or np.ptp(there) < 1e-9
        np.testing.assert_array_equal(block.l_column.size, block.l_scalar.size)


def test_one_basis_serves_all_periods():
    small = plane_waves(SQUARE, bloch=(0.0, 0.0), count=25)
    large = plane_waves(SquareLattice(period_nm=460.0), bloch=(0.0, 0.0), count=25)
    assert small is large


def test_moved_to_keeps_the_orders():
    start = plane_waves(RECTANGULAR, bloch=(0.0, 0.0), count=25)
    moved = moved_to(start, (0.003, -0.001), period_nm=300.0)
    np.testing.assert_array_equal(moved.orders, start.orders)
    np.testing.assert_allclose(moved.vectors, start.vectors + 300.0 * np.array([0.003, -0.001]), atol=1e-12)
    assert np.ptp(np.hypot(*moved.along.T)) < 1e-12
    back = moved_to(moved, (0.0, 0.0), period_nm=300.0)
    assert (back.lengths == 0.0).sum() == 1
