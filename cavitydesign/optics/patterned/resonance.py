"""One resonance: polishing a pole on M(k0) itself, and everything that its fields then tell to first order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.optics.patterned.admittance import BlockProblem, Sheets
from cavitydesign.optics.patterned.fields import ResonanceField, conjugate, densities, fields

_BY_POWER = 1e-8  # 1/Q below which Im k0 is mostly the rounding of k0
_ROUNDING = 1e-16  # and below which it is that of the fields at the outer faces, squared


@dataclass(frozen=True)
class Resonance:
    """A polished pole: its block, complex k0, null vectors, the norm v_lᵀ M' v, fields and residual |δk0/k0|."""

    problem: BlockProblem
    sheets: Sheets
    k0: complex
    right: Array
    left: Array
    norm: complex
    right_field: ResonanceField
    left_field: ResonanceField
    layer_densities: Densities
    residual: float
    multiplicity: int = 1  # resonances of this class at one place: the folded ones of a supercell

    def shift_by_eps(self, d_eps: Array, *, layers_only: bool = False) -> complex:
        """First-order change of k0 for steps ``d_eps`` (materials,) in permittivity; 1/nm."""
        form = _form(
            self.problem, self.sheets, self.k0, self.left_field, self.right_field, self.layer_densities,
            d_eps=d_eps, d_k=0.0, half_spaces=not layers_only,
        )  # fmt: skip
        return -form / self.norm

    def shift_by_index(self, d_n: Array, *, layers_only: bool = False) -> complex:
        """First-order change of k0 for steps ``d_n`` (materials,) in refractive index; 1/nm."""
        return self.shift_by_eps(
            2.0 * self.problem.stack.index(np.asarray(self.k0)) * d_n, layers_only=layers_only
        )

    @cached_property
    def film_slopes(self) -> dict[int, complex]:
        """dk0/dn of each material of the gain film, 1/nm."""
        numbers = [i for i, is_gain in enumerate(self.problem.stack.gain) if is_gain]
        return {i: self.shift_by_index(np.eye(1, len(self.problem.stack.gain), i)[0]) for i in numbers}

    def confinement(self) -> float:
        """Share of ``∫ ε E·E`` in the gain film: ``Re[-Σ (n/k0) dk0/dn]``; NaN without a film."""
        n = self.problem.stack.index(np.asarray(self.k0))
        shares = [-n[i] / self.k0 * slope for i, slope in self.film_slopes.items()]
        return float(sum(shares).real) if shares else math.nan

    def threshold_kappa(self) -> float:
        """First-order κ of the film's index ``n - iκ`` that brings the pole to the real axis; NaN without a film."""
        rate = -sum(slope.real for slope in self.film_slopes.values())
        return -self.k0.imag / rate if rate > 0.0 else math.nan

    def absorption(self) -> dict[int, float]:
        """``1/Q`` by absorption in the finite layers, for each material that absorbs (negative: that amplifies).

        First order in each Im ε, with the normalised field of the resonance: ``-2 Im(i Im ε dk0/dε) / Re k0``.
        """
        stack = self.problem.stack
        loss = stack.eps(np.asarray(self.k0.real + 0j)).imag
        units = np.eye(len(loss))
        return {
            number: -2.0 * self.shift_by_eps(1j * loss * units[number], layers_only=True).imag / self.k0.real
            for number in np.flatnonzero(np.abs(loss) > 0.0).tolist()
        }

    def _powers(self, k0: complex) -> tuple[float, float]:
        """``Re F†h`` at the two outer faces: what leaves upwards and downwards, an absorbing half-space included."""
        stack = self.problem.stack
        eps = stack.eps(np.asarray(k0))
        found = []
        for number, open_, face in self._faces():
            y = self.problem.half_space(np.asarray(eps[number]), np.asarray(k0), open_)
            lossy = open_ | (abs(complex(eps[number]).imag) > 0.0)
            found.append(float(np.sum(np.where(lossy, y.real, 0.0) * np.abs(face) ** 2)))
        return found[0], found[1]

    def _faces(self) -> tuple[tuple[int, Array, Array], ...]:
        stack = self.problem.stack
        return (
            (stack.superstrate, self.sheets.up, self.right_field.top),
            (stack.substrate, self.sheets.down, self.right_field.bottom),
        )

    @cached_property
    def radiated(self) -> float:
        """``1/Q`` by what leaves into the half-spaces: power out over ω times the energy stored, ``2P / k0 W``.

        ``W = ∫ [F† ∂(k0 B) F + h† ∂(k0 A) h] dz + i Σ_closed ∂y |F|²`` at the real part of k0, ∂ by k0. Each term is
        positive where nothing absorbs, so that the result has no rounding but its own: it is right to first order
        in 1/Q however small that is.
        """
        problem, k0 = self.problem, complex(self.k0.real)
        stack = problem.stack
        eps, slope = stack.eps(np.asarray(k0)), stack.eps_slope(np.asarray(k0))
        stored = 0.0
        for field in self.right_field.layers:
            electric, magnetic = densities(conjugate(field), field)
            ka, kb = problem.slopes(field.index, eps, k0, d_eps=slope, d_k=1.0)
            stored += float((np.sum(kb * electric) + np.sum(ka * magnetic)).real)
        for number, open_, face in self._faces():
            rate = problem.half_space_slope(
                complex(eps[number]), k0, open_, d_eps=complex(slope[number]), d_k=1.0
            )
            stored += float(np.sum(np.where(open_, 0.0, (1j * rate).real) * np.abs(face) ** 2))
        return 2.0 * max(sum(self._powers(k0)), 0.0) / (k0.real * stored)

    def losses(self) -> tuple[float, float, float]:
        """``1/Q`` by radiation up, radiation down and absorption in the finite layers; they add up to 1/Q.

        What :meth:`absorption` does not explain is radiation, shared as the power ``½ Re F†h`` at the two outer
        faces (into an absorbing substrate: the power that enters it).
        """
        absorbed = sum(self.absorption().values())
        up, down = self._powers(self.k0)
        if up + down <= 0.0:
            return 0.0, 0.0, absorbed
        radiated = self.loss - absorbed
        return radiated * up / (up + down), radiated * down / (up + down), absorbed

    @property
    def loss(self) -> float:
        """``1/Q``: 0 for a mode that cannot decay; where it is below 1e-8 in a passive stack by power, not by Im k0."""
        if self.is_lossless:
            return 0.0
        loss = -2.0 * self.k0.imag / self.k0.real
        if not self.is_passive or loss > _BY_POWER:
            return loss
        by_power = self.radiated + sum(self.absorption().values())
        return by_power if by_power > _ROUNDING else 0.0

    def outward_share(self) -> float:
        """Power that leaves through the outer faces, by all that the near field carries or swings there; 0 to 1.

        ``Σ_open Re y |F|² / Σ |y| |F|²`` over the channels of both faces, y their admittances: 0 for light that only
        clings to the stack, 1 for a plane wave that leaves it, whatever its Q.
        """
        stack, k0 = self.problem.stack, self.k0
        eps = stack.eps(np.asarray(k0))
        swung = 0.0
        for number, open_, face in self._faces():
            y = self.problem.half_space(np.asarray(eps[number]), np.asarray(k0), open_)
            swung += float(np.sum(np.abs(y) * np.abs(face) ** 2))
        return max(sum(self._powers(k0)), 0.0) / swung if swung > 0.0 else math.nan

    def strongest_interface(self, *, by: float = 1.5) -> int:
        """The interface at which ``‖F‖`` is largest, its own unless another's is ``by`` times as large.

        From an interface that a mode hardly reaches (behind a mirror, metal, or evanescent layers) its pole cannot be
        followed: the residue there is ``‖F‖²`` by the norm.
        """
        own = self.problem.interface
        strength: dict[int, float] = {}
        for layer in self.right_field.layers:
            x = np.exp(1j * layer.q * layer.thickness_nm)
            near, far = layer.w @ (layer.a + x * layer.b), layer.w @ (x * layer.a + layer.b)
            above = layer.index < own
            for face, f in ((layer.index + above, near), (layer.index + (not above), far)):
                strength[face] = max(strength.get(face, 0.0), float(np.linalg.norm(f)))
        best = max(strength, key=lambda face: strength[face])
        return best if strength[best] > by * strength[own] else own

    def te_share(self) -> float:
        """Share of T (against L and E_z) in ``|E|²`` at mid-height of the layers, without waves at normal incidence."""
        problem, k0 = self.problem, self.k0
        eps = problem.stack.eps(np.asarray(k0))
        moving = problem.length > 0.0
        te = tm = 0.0
        for layer in self.right_field.layers:
            half = np.exp(0.5j * layer.q * layer.thickness_nm)
            f, h = layer.w @ (half * (layer.a + layer.b)), layer.v @ (half * (layer.a - layer.b))
            ez = problem.length * h / (k0 * eps[problem.stack.layers[layer.index].material])
            te += layer.thickness_nm * float(np.sum(np.abs(f[moving & ~problem.is_l]) ** 2))
            tm += layer.thickness_nm * float(
                np.sum((np.abs(f) ** 2 + np.abs(ez) ** 2)[moving & problem.is_l])
            )
        return te / (te + tm) if te + tm > 0.0 else math.nan

    @property
    def polarization(self) -> str:
        """``TE-like`` or ``TM-like``, by :meth:`te_share`."""
        return "TE-like" if self.te_share() >= 0.5 else "TM-like"

    def residue(self, probe: Array) -> Array:
        """Residue of ``probeᵀ M(k0)⁻¹ probe`` at the pole: ``probeᵀ v v_lᵀ probe / v_lᵀ M' v``.

        In the classes that keep both partners of a pair together, v and v_l span two dimensions, and the norm is
        a matrix.
        """
        if not self.problem.block.irrep.mixed:
            return np.outer(probe.T @ self.right, self.left @ probe) / self.norm
        problem, k0 = self.problem, np.asarray(self.k0)
        sides = problem.sides(k0, self.sheets)
        u, _, vh = np.linalg.svd(problem.joined(sides))
        rights, lefts = vh[-2:].conj(), u[:, -2:].T.conj()
        slope = problem.stack.eps_slope(k0)
        norm = np.empty((2, 2), dtype=complex)
        for i, l in enumerate(lefts):
            for j, r in enumerate(rights):
                lf, rf = fields(problem, l, sides, left=True), fields(problem, r, sides, left=False)
                norm[i, j] = _form(
                    problem, self.sheets, self.k0, lf, rf, _densities(lf, rf), d_eps=slope, d_k=1.0
                )
        return (probe.T @ rights.T) @ np.linalg.solve(norm, lefts @ probe)

    @cached_property
    def is_passive(self) -> bool:
        """Nothing amplifies."""
        return not np.any(self.problem.stack.index(np.asarray(self.k0.real + 0j)).imag < -1e-13)

    @cached_property
    def is_lossless(self) -> bool:
        """Nothing absorbs or amplifies, and no channel of this symmetry is open: the mode cannot decay."""
        stack = self.problem.stack
        passive = not np.any(np.abs(stack.index(np.asarray(self.k0.real + 0j)).imag) > 1e-13)
        return passive and not self.sheets.up.any() and not self.sheets.down.any()


Densities = tuple[tuple[int, Array, Array], ...]
"""For each layer its index, ``∫F_l Fᵀ dz`` and ``∫h_l hᵀ dz``."""


def _densities(left: ResonanceField, right: ResonanceField) -> Densities:
    return tuple((fr.index, *densities(fl, fr)) for fl, fr in zip(left.layers, right.layers, strict=True))


def _form(
    problem: BlockProblem,
    sheets: Sheets,
    k0: complex,
    left: ResonanceField,
    right: ResonanceField,
    layers: Densities,
    *,
    d_eps: Array,
    d_k: float,
    half_spaces: bool = True,
) -> complex:
    """``v_lᵀ δM v`` from the fields; see the module docstring of optics.admittance."""
    stack = problem.stack
    eps = stack.eps(np.asarray(k0))
    total = 0.0 + 0.0j
    for index, electric, magnetic in layers:
        layer = stack.layers[index]
        involved = {
            layer.material,
            *(i.material for i in layer.inclusions),
            *(i.host for i in layer.inclusions),
        }
        if d_k == 0.0 and not any(d_eps[number] for number in involved):
            continue
        d_ka, d_kb = problem.slopes(index, eps, k0, d_eps=d_eps, d_k=d_k)
        total -= 1j * (np.sum(d_kb * electric) - np.sum(d_ka * magnetic))
    for number, open_, fl, fr in (
        (stack.superstrate, sheets.up, left.top, right.top),
        (stack.substrate, sheets.down, left.bottom, right.bottom),
    ):
        if half_spaces and (d_k or d_eps[number]):
            total += np.sum(
                fl * problem.half_space_slope(eps[number], k0, open_, d_eps=d_eps[number], d_k=d_k) * fr
            )
    return complex(total)


def polish(
    problem: BlockProblem,
    start: complex,
    *,
    reach: float = math.inf,
    accept: float = 1e-7,
    steps: int = 12,
    sheets: Sheets | None = None,
) -> Resonance | None:
    """Two-sided Rayleigh iteration ``k0 ← k0 - v_lᵀ M v / v_lᵀ M' v`` from ``start``.

    Cubic convergence: P. Lancaster, Pacific J. Math. 11, 1 (1961). None where it does not settle, or leaves the
    neighbourhood ``|k0 - start| < reach`` (1/nm). A relative step below ``accept`` is the last. ``sheets`` None: the
    physical ones of each step.
    """
    k0 = complex(start)
    symmetric = problem.symmetric
    previous = math.inf
    for _ in range(steps):
        here = sheets or problem.sheets_at(k0)
        sides = problem.sides(np.asarray(k0), here)
        matrix = problem.joined(sides)
        right, left = _null_vectors(matrix, problem.balance(k0), symmetric=symmetric)
        right_field = fields(problem, right, sides, left=False)
        left_field = right_field if symmetric else fields(problem, left, sides, left=True)
        slope = problem.stack.eps_slope(np.asarray(k0))
        layers = _densities(left_field, right_field)
        norm = _form(problem, here, k0, left_field, right_field, layers, d_eps=slope, d_k=1.0)
        change = complex(left @ (matrix @ right)) / norm
        residual = abs(change / k0)
        found = Resonance(
            problem, here, k0 - change, right, left, norm, right_field, left_field, layers, residual
        )
        if residual < accept or (residual < 1e-9 and residual >= 0.5 * previous):
            return found  # the step is quadratically small or better: the next would be below rounding
        if residual > 0.2 or abs(k0 - change - start) > reach:
            return None
        previous, k0 = residual, k0 - change
    return None


def _null_vectors(matrix: Array, balance: Array, *, symmetric: bool) -> tuple[Array, Array]:
    """Right and left vectors of the smallest singular direction of ``S M S``, by two steps of inverse iteration.

    S = diag(balance) makes the admittances of short waves of order one. Unbalanced, those of short L waves vanish as
    1/|k + G| and look like resonances.
    """
    scaled = balance[:, None] * matrix * balance
    start = np.cos(1.0 + 2.3 * np.arange(len(matrix))) + 0.3
    right = _unit(balance * _inverse_iteration(scaled, start))
    return right, (right if symmetric else _unit(balance * _inverse_iteration(scaled.T, start)))


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _inverse_iteration(matrix: Array, start: Array) -> Array:
    inverse = np.linalg.inv(matrix)
    vector = inverse @ start
    vector = inverse @ (vector / np.linalg.norm(vector))
    return vector / np.linalg.norm(vector)


def exact_threshold_kappa(resonance: Resonance, *, tolerance: float = 1e-9) -> float:
    """The exact linear threshold: the κ of the film's index ``n - iκ`` that puts the pole on the real axis.

    Newton in κ with the exact slope Im dk0/dκ, the pole polished at each step. NaN where there is no film, or
    where the gain cannot reach the loss.
    """
    kappa, current = 0.0, resonance
    for _ in range(20):
        step = current.threshold_kappa()
        if not math.isfinite(step):
            return math.nan
        kappa += step
        if abs(step) <= tolerance * max(abs(kappa), 1e-12):
            return kappa
        problem = resonance.problem.with_stack(resonance.problem.stack.with_gain_kappa(kappa))
        moved = polish(problem, complex(current.k0.real, 0.0) if current is resonance else current.k0)
        if moved is None:
            return math.nan
        current = moved
    return math.nan
