"""An independent search for the modes of a stack: plain, slow, and unlike the engine wherever that matters.

What it shares is the truncated problem, so that the two must agree to rounding: the plane waves, the Fourier
coefficients of the shapes and the averaged normal field. Everything after that is its own:

* no symmetry and no L and T: E_x and E_y of every plane wave, complex, in one matrix;
* no interface is chosen and no admittance carried: the tangential fields at *all* interfaces are the unknowns, each
  layer joins those at its two faces, ``h = i V cot(q d) W⁻¹ F …`` (even in q), and the magnetic field must be
  continuous at each: a block-tridiagonal matrix T(k0) that is singular at a resonance and nowhere else;
* no map of k0, no count, no rational interpolant: the strip of the k0 plane between two thresholds is tiled with
  overlapping discs that keep away from the cuts, ever smaller ones towards a threshold, and the contour integrals
  of T⁻¹ over each disc give its poles (W.-J. Beyn, Linear Algebra Appl. 436, 3839 (2012)), with a disc cut in four
  where they are many;
* a pole is polished on its own smallest singular value.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.fourier import _normal_field, _scaled
from cavitydesign.optics.patterned.planewaves import PlaneWaves, plane_waves

_POINTS = 20  # on each disc
_PROBES = 8  # columns of the probed inverse
_MOMENTS = 4  # moments of it: up to _PROBES * _MOMENTS / 2 poles a disc
_RANK = 1e-7  # singular values of the moments below this share of the largest are noise
_SMALLEST = 1e-5  # half side of the smallest tile, relative to k0
_SAME = 2e-7  # poles nearer to each other than this (relative) are one


@dataclass(frozen=True)
class Mode:
    """A pole, and how many independent fields share it or lie within about 1e-6 of it."""

    k0: complex
    count: int

    @property
    def wavelength_nm(self) -> float:
        """2π / Re k0."""
        return 2.0 * math.pi / self.k0.real

    @property
    def q(self) -> float:
        """Re k0 / -2 Im k0; infinite where that is rounding."""
        return -0.5 * self.k0.real / self.k0.imag if -self.k0.imag > 1e-13 * self.k0.real else math.inf


def judged_modes(
    stack: NumericStack,
    *,
    waves: int,
    window_nm: tuple[float, float],
    bloch: tuple[float, float] = (0.0, 0.0),
    q_min: float = 5.0,
) -> list[Mode]:
    """Every mode of a passive stack in the window with Q ≥ ``q_min``, on the plane waves that the engine takes."""
    system = System(stack, plane_waves(stack.lattice, bloch=bloch, count=waves), bloch)
    low, high = 2.0 * math.pi / window_nm[1], 2.0 * math.pi / window_nm[0]
    depth = 0.5 * high / q_min
    cuts = [t for t in system.thresholds(low, high) if abs(t.imag) < 2.0 * depth]
    edges = [low, *sorted({t.real for t in cuts if low < t.real < high}), high]
    found: list[complex] = []
    for left, right in itertools.pairwise(edges):
        if right - left > 1e-7 * high:
            found += _Strip(system, left, right, depth).poles()
    distinct: list[complex] = []
    for k0 in sorted(found, key=lambda k: k.real):
        if all(abs(k0 - other) > _SAME * abs(k0) for other in distinct):
            distinct.append(k0)
    modes = [Mode(k0, system.nullity(k0)) for k0 in distinct]
    return [m for m in modes if low <= m.k0.real <= high and m.q >= q_min]


class System:
    """T(k0): the jump of the tangential magnetic field at every interface, from the electric fields there."""

    def __init__(self, stack: NumericStack, waves: PlaneWaves, bloch: tuple[float, float]):
        self.stack = stack
        g = waves.orders @ stack.lattice.reciprocal_per_nm + np.round(np.array(bloch), 15)
        self.kx, self.ky = g.T
        self.length = np.hypot(self.kx, self.ky)
        self.length[self.length < 1e-12] = 0.0
        differences = (waves.orders[:, None] - waves.orders[None, :]).reshape(-1, 2)
        n = len(waves)
        area = stack.lattice.cell_area_nm2
        steps = differences @ stack.lattice.reciprocal_per_nm
        self.shapes, self.normals = [], []
        for layer in stack.layers:
            self.shapes.append(
                [
                    (item.pattern.fourier(steps[:, 0], steps[:, 1]) / area).reshape(n, n)
                    for item in layer.inclusions
                ]
            )
            keys = tuple(_scaled(i.pattern, 1.0 / stack.lattice.periods_nm[0]) for i in layer.inclusions)
            if keys:
                xx, xy, yy = (part.reshape(n, n) for part in _normal_field(keys, waves.cell, differences))
                self.normals.append(np.block([[xx, xy], [xy, yy]]))
            else:
                self.normals.append(None)

    def thresholds(self, low: float, high: float) -> list[complex]:
        """Where channels of the half-spaces open, those of metals left out."""
        eps = self.stack.eps(np.asarray(0.5 * (low + high) + 0j))
        found = []
        for number in {self.stack.superstrate, self.stack.substrate}:
            e = complex(eps[number])
            if e.real > 0.0:
                found += (self.length[self.length > 0.0] / np.sqrt(e)).tolist()
        merged: list[complex] = []
        for t in sorted(found, key=lambda t: t.real):
            if not merged or abs(t - merged[-1]) > 1e-6 * abs(t):
                merged.append(t)
        return merged

    def outside(self, e: complex, k0: complex, at: float) -> np.ndarray:
        """Admittance of a half-space as a full matrix on the sheet of the real wavenumber ``at``."""
        z = e * k0 * k0 - self.length**2
        is_open = (at >= (self.length / np.sqrt(e)).real) & (e.real > 0.0)
        kz = np.where(is_open, np.sqrt(z + 0j), 1j * np.sqrt(-z + 0j))
        safe = np.where(self.length > 0.0, self.length, 1.0)
        cx = np.where(self.length > 0.0, self.kx / safe, 1.0)
        cy = np.where(self.length > 0.0, self.ky / safe, 0.0)
        y_l, y_t = e * k0 / kz, kz / k0
        xx, xy, yy = cx * cx * y_l + cy * cy * y_t, cx * cy * (y_l - y_t), cy * cy * y_l + cx * cx * y_t
        return np.block([[np.diag(xx), np.diag(xy)], [np.diag(xy), np.diag(yy)]])

    def layer(self, index: int, eps: np.ndarray, k0: complex) -> tuple[np.ndarray, np.ndarray]:
        """(S, C) of a layer: h = -S F + C F' at its upper face and C F - S F' with its sign at the lower one."""
        layer = self.stack.layers[index]
        n, d = len(self.kx), layer.thickness_nm
        e = complex(eps[layer.material])
        eye = np.eye(n)
        direct, inverse = e * eye + 0j, eye / e + 0j
        for item, chi in zip(layer.inclusions, self.shapes[index], strict=True):
            inner, outer = complex(eps[item.material]), complex(eps[item.host])
            direct = direct + (inner - outer) * chi
            inverse = inverse + (1.0 / inner - 1.0 / outer) * chi
        tensor = np.kron(np.eye(2), direct)
        normal = self.normals[index]
        if normal is not None:
            delta = np.kron(np.eye(2), direct - np.linalg.inv(inverse))
            tensor = tensor - 0.5 * (delta @ normal + normal @ delta)
        k = np.vstack([np.diag(self.kx), np.diag(self.ky)])
        across = np.vstack([np.diag(-self.ky), np.diag(self.kx)])
        ka = k0 * np.eye(2 * n) - k @ np.linalg.inv(direct) @ k.T / k0
        kb = k0 * tensor - across @ across.T / k0
        if normal is None:  # A B is a diagonal
            squares, w = np.tile(e * k0 * k0 - self.length**2, 2), None
        else:
            squares, w = np.linalg.eig(ka @ kb)
        q = np.sqrt(squares + 0j)
        q = np.where(q.imag < 0.0, -q, q)
        x = np.exp(1j * q * d)
        v = (kb if w is None else kb @ w) / q
        own, other = v * ((1.0 + x * x) / (1.0 - x * x)), v * (2.0 * x / (1.0 - x * x))
        if w is None:
            return own, other
        back = np.linalg.inv(w)
        return own @ back, other @ back

    def matrix(self, k0: complex, at: float) -> np.ndarray:
        """T(k0) on the sheet of ``at``."""
        eps = self.stack.eps(np.asarray(k0))
        m, count = 2 * len(self.kx), len(self.stack.layers) + 1
        total = np.zeros((count, m, count, m), dtype=complex)
        total[0, :, 0, :] += self.outside(complex(eps[self.stack.superstrate]), k0, at)
        total[-1, :, -1, :] += self.outside(complex(eps[self.stack.substrate]), k0, at)
        for i in range(count - 1):
            own, other = self.layer(i, eps, k0)
            total[i, :, i, :] += own
            total[i + 1, :, i + 1, :] += own
            total[i, :, i + 1, :] -= other
            total[i + 1, :, i, :] -= other
        return total.reshape(count * m, count * m)

    def polished(self, k0: complex, at: float) -> complex | None:
        """Newton on the smallest singular value, the slope by differences."""
        for _ in range(12):
            matrix = self.matrix(k0, at)
            inverse = np.linalg.inv(matrix)
            right = np.cos(1.0 + 1.7 * np.arange(len(matrix))) + 0j
            for _ in range(3):
                left = inverse.conj().T @ right
                left /= np.linalg.norm(left)
                right = inverse @ left
                right /= np.linalg.norm(right)
            left = (inverse.conj().T @ right).conj()
            step = 1e-6 * abs(k0)
            slope = (self.matrix(k0 + step, at) - self.matrix(k0 - step, at)) / (2.0 * step)
            change = complex((left @ (matrix @ right)) / (left @ slope @ right))
            k0 -= change
            if not abs(change) < 0.2 * abs(k0):
                return None
            if abs(change) < 1e-10 * abs(k0):
                return k0
        return None

    def nullity(self, k0: complex) -> int:
        """Fields with a pole within about 1e-6 of this one: singular values that a step of 2e-5 makes much larger."""
        here = np.linalg.svd(self.matrix(k0, k0.real), compute_uv=False)
        near = np.linalg.svd(self.matrix(k0 * (1.0 + 2e-5j), k0.real), compute_uv=False)
        return max(1, int(np.count_nonzero(here[-40:] < 0.08 * near[-40:])))


@dataclass
class _Strip:
    """The k0 plane between two thresholds, down to ``depth``."""

    system: System
    left: float
    right: float
    depth: float

    @property
    def inside(self) -> float:
        return 0.5 * (self.left + self.right)

    def poles(self) -> list[complex]:
        """Polished poles of this sheet in the strip."""
        top = 1e-3 * self.depth
        self.rims = self._cuts()
        side = min(self.right - self.left, self.depth + top, 0.04 * self.right)
        columns, rows = (math.ceil(size / side - 1e-9) for size in (self.right - self.left, self.depth + top))
        dx, dy = 0.5 * (self.right - self.left) / columns, 0.5 * (self.depth + top) / rows
        tiles = [
            (complex(self.left + (2 * i + 1) * dx, top - (2 * j + 1) * dy), dx, dy)
            for i in range(columns)
            for j in range(rows)
        ]
        found: list[complex] = []
        while tiles:
            centre, dx, dy = tiles.pop()
            radius = 1.08 * math.hypot(dx, dy)
            if self._meets_cut(centre, radius):
                new = None
            else:
                new = self._disc(centre, radius, found)
            if new is not None:
                found += new
            elif max(dx, dy) > _SMALLEST * self.right:
                nx, ny = (2 if d > 0.6 * max(dx, dy) else 1 for d in (dx, dy))
                tiles += [
                    (centre + complex(sx * dx, sy * dy), dx / nx, dy / ny)
                    for sx in ((-0.5, 0.5) if nx == 2 else (0.0,))
                    for sy in ((-0.5, 0.5) if ny == 2 else (0.0,))
                ]
        return found

    def _cuts(self) -> list[tuple[complex, bool]]:
        """Thresholds with the way in which the cut leaves them: to smaller k0 where the channel is open."""
        found = []
        eps = self.system.stack.eps(np.asarray(self.inside + 0j))
        for number in {self.system.stack.superstrate, self.system.stack.substrate}:
            e = complex(eps[number])
            if e.real > 0.0:
                found += [
                    (complex(t), self.inside >= t.real)
                    for t in np.unique(self.system.length[self.system.length > 0.0]) / np.sqrt(e)
                ]
        return found

    def _meets_cut(self, centre: complex, radius: float) -> bool:
        for t, is_open in self.rims:
            share = (centre * np.conj(t)).real / abs(t) ** 2
            share = min(share, 1.0) if is_open else max(share, 1.0)
            if abs(centre - share * t) < 1.1 * radius:
                return True
        return False

    def _disc(self, centre: complex, radius: float, known: list[complex]) -> list[complex] | None:
        """Poles in one disc; None where they are too many for it."""
        system = self.system
        angles = 2.0 * math.pi * (np.arange(_POINTS) + 0.5) / _POINTS
        rng = np.random.default_rng(7)
        moments = None
        for turn in np.exp(1j * angles):
            matrix = system.matrix(centre + radius * turn, self.inside)
            if moments is None:
                size = len(matrix)
                left = rng.standard_normal((_PROBES, size)) + 1j * rng.standard_normal((_PROBES, size))
                right = rng.standard_normal((size, _PROBES)) + 1j * rng.standard_normal((size, _PROBES))
                moments = np.zeros((2 * _MOMENTS, _PROBES, _PROBES), dtype=complex)
                level = 0.0
            probed = left @ np.linalg.solve(matrix, right)
            level = max(level, float(np.abs(probed).max()))
            for m in range(2 * _MOMENTS):
                moments[m] += probed * turn ** (m + 1) / _POINTS
        blocks = [
            [np.block([[moments[i + j + shift] for j in range(_MOMENTS)] for i in range(_MOMENTS)])]
            for shift in (0, 1)
        ]
        hankel, shifted = blocks[0][0], blocks[1][0]
        u, s, vh = np.linalg.svd(hankel)
        rank = int(np.count_nonzero(s > max(_RANK * s[0], 1e-10 * level)))
        if rank > 0.6 * len(s):
            return None
        if rank == 0:
            return []
        pencil = u[:, :rank].conj().T @ shifted @ vh[:rank].conj().T / s[:rank]
        found: list[complex] = []
        guesses: list[complex] = []
        for value in np.linalg.eigvals(pencil):
            guess = centre + radius * complex(value)
            if abs(value) > 1.15 or any(abs(guess - k) < 1e-5 * radius for k in [*known, *found]):
                continue
            k0 = system.polished(guess, self.inside)
            if k0 is None or abs(k0 - guess) > 0.3 * radius or not self._is_wanted(k0):
                continue
            twice = any(
                abs(other - k0) < _SAME * abs(k0) and abs(start - guess) > 1e-4 * radius
                for other, start in zip(found, guesses, strict=True)
            )
            if twice and radius > 1e-4 * self.right:
                return None  # two guesses, one pole: the other is easier to reach in a smaller disc
            found.append(k0)
            guesses.append(guess)
        return found

    def _is_wanted(self, k0: complex) -> bool:
        slack = 1e-9 * self.right
        return self.left - slack <= k0.real <= self.right + slack and -1.02 * self.depth < k0.imag < slack
