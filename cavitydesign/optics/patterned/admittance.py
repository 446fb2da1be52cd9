"""Admittances of a patterned stack in one symmetry block: M(k0), its null vectors, its fields and its derivatives.

With F = (E_x, E_y) and h = (H_y, -H_x) in the block's columns and z pointing away from the interface at which the two
sides meet, Maxwell's equations in a layer are

    F' = i k0 A h,   A = 1 - K [[ε]]⁻¹ K        K = |k + G| / k0 on the L columns
    h' = i k0 B F,   B = [ε] - K⊥ K⊥             K⊥ = |k + G| / k0 on the T columns

with modes AB W = W q², V = B W / q. The admittance Y (h = Y F) of each half-space is carried to the interface by

    R = (V + Y W)⁻¹ (V - Y W),   Y' = V (1 - X R X)(1 + X R X)⁻¹ W⁻¹,   X = exp(i q k0 d),

in which only decaying exponentials occur. A resonance is a complex k0 where M(k0) = Y_up + Y_down is singular.

Derivatives need no second solution. For any change δ of the stack, or of k0, with fields F, h of the resonance
(right) and those of the transposed problem (left, subscript l),

    v_lᵀ δM v = Σ_half-spaces F_lᵀ δY F - i ∫ [ F_lᵀ δ(k0 B) F - h_lᵀ δ(k0 A) h ] dz,

which for δ = δk0 is the norm of the resonance (the bilinear one of P. T. Leung et al., Phys. Rev. A 49, 3057 (1994),
surface term included), and for anything else gives its first-order shift  δk0 = - v_lᵀ δM v / v_lᵀ (∂M/∂k0) v.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.fourier import (
    LayerMatrices,
    layer_matrices,
    permittivity,
    permittivity_slope,
    static_permittivity,
)
from cavitydesign.optics.patterned.planewaves import Block, PlaneWaves


@dataclass(frozen=True, slots=True)
class Sheets:
    """Which channels of the half-spaces are open (radiate) in a region of k0: masks over the block's columns.

    kz = √z where open (outgoing, even if that grows), i√(-z) where closed (bound), z = ε k0² - |k + G|². Each is
    analytic on its side of the threshold k0 = |k + G| / √ε, and neither cut leaves that threshold into its own
    side. Around a threshold itself kz is followed through zero instead: where a guide (a direction in the
    complex plane for each k0 and column, 0 for none) is given, the root that points along it is taken.
    """

    up: Array
    down: Array
    up_guide: Array | None = None
    down_guide: Array | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """A layer as a passage: modes W, V, q k0, the reflection R behind it, and its operators k0 A and k0 B.

    ``uniform`` layers have W = 1; ``w``, ``v`` are then diagonals and R may be one too. ``log_det``, where it was
    asked for, is the logarithm of what the layer adds to the characteristic function (:meth:`BlockProblem.log_count`).
    """

    index: int
    w: Array
    v: Array
    q: Array
    reflection: Array
    phase: Array
    uniform: bool
    w_inverse: Array
    log_det: Array | None = None


Sides = tuple[Array, Array, list[Pass], list[Pass]]
"""Admittances above and below an interface, and the passages to it from above and from below."""


class BlockProblem:
    """One symmetry block of one patterned stack: evaluates M(k0) and everything that follows from it."""

    def __init__(
        self,
        stack: NumericStack,
        waves: PlaneWaves,
        block: Block,
        *,
        factorisation: str = "normal",
        interface: int | None = None,
        keep: bool = True,
    ):
        """``interface``: the layer at whose upper face the sides meet; ``keep`` False leaves nothing in the caches."""
        self.stack, self.waves, self.block = stack, waves, block
        self.length = waves.lengths[block.waves] / stack.lattice.periods_nm[0]  # |k + G| of each column, 1/nm
        self.is_l = ~block.t_column
        self.t_length = np.where(self.is_l, 0.0, self.length)
        self.matrices: list[LayerMatrices | None] = [
            layer_matrices(layer, stack.lattice, waves, block, factorisation=factorisation, keep=keep)
            if layer.inclusions
            else None
            for layer in stack.layers
        ]
        # real matrices of Fourier coefficients are symmetric, and so is M: left and right vectors are then the same
        self.symmetric = all(m is None or np.isrealobj(m.vector) for m in self.matrices)
        patterned = (i for i, layer in enumerate(stack.layers) if layer.inclusions)
        # by default the upper face of the first patterned layer: all above it is diagonal
        self.interface = interface if interface is not None else next(patterned)

    def with_stack(self, stack: NumericStack) -> BlockProblem:
        """The same block of a stack that differs in its indices only: nothing geometric is computed again."""
        copy = object.__new__(BlockProblem)
        copy.__dict__.update(self.__dict__)
        copy.stack = stack
        return copy

    def met_at(self, interface: int) -> BlockProblem:
        """The same problem with the sides meeting at the upper face of another layer."""
        copy = self.with_stack(self.stack)
        copy.interface = interface
        return copy

    @property
    def size(self) -> int:
        """Order m of M."""
        return self.block.size

    # -- operators ------------------------------------------------------------------------------------------------

    def kz(self, eps: Array, k0: Array, open_: Array, guide: Array | None = None) -> Array:
        """k_z of every column in a medium: shape (*k0.shape, m)."""
        z = (eps * k0 * k0)[..., None] - self.length**2
        kz = np.where(open_, np.sqrt(z), 1j * np.sqrt(-z))
        return kz if guide is None else np.where(np.real(kz * guide.conj()) < 0.0, -kz, kz)

    def half_space(self, eps: Array, k0: Array, open_: Array, guide: Array | None = None) -> Array:
        """Diagonal admittance of a half-space, h = Y F: ε k0/k_z on L columns, k_z/k0 on T columns."""
        kz = self.kz(eps, k0, open_, guide)
        return np.where(self.is_l, (eps * k0)[..., None] / kz, kz / k0[..., None])

    def operators(self, index: int, eps: Array, k0: Array) -> tuple[Array, Array]:
        """k0 A and k0 B of one layer, shape (*k0.shape, m, m); for uniform layers their diagonals (*k0.shape, m)."""
        matrices, layer = self.matrices[index], self.stack.layers[index]
        k = k0[..., None]
        if matrices is None:
            e = eps[layer.material][..., None]
            ka = np.where(self.is_l, k - self.length**2 / (e * k), k + 0.0 * e)
            return ka, k * e - self.t_length**2 / k
        inner, inverse = self._permittivity(index, eps)
        kb = k[..., None] * inner - _diagonal(self.t_length**2 / k)
        ka = k[..., None] * np.eye(self.size)
        columns, rows = self.block.l_column, self.block.l_scalar
        if len(columns):
            g = self.length[columns]
            ez = inverse[..., rows[:, None], rows[None, :]]
            ka[..., columns[:, None], columns[None, :]] -= g[:, None] * ez * g[None, :] / k[..., None]
        return ka, kb

    def _permittivity(self, index: int, eps: Array) -> tuple[Array, Array]:
        """[ε] and [[ε]]⁻¹ of a patterned layer; from a cache where its materials do not disperse."""
        matrices, layer = self.matrices[index], self.stack.layers[index]
        assert matrices is not None
        base, pairs = layer.permittivities(eps)
        if eps.ndim == 1 or self.stack.layer_is_constant(layer):
            at = (0,) * (eps.ndim - 1)
            return static_permittivity(
                matrices, complex(base[at]), tuple((complex(i[at]), complex(o[at])) for i, o in pairs)
            )
        inner, scalar = permittivity(matrices, base, pairs)
        return inner, np.linalg.inv(scalar)

    def slopes(self, index: int, eps: Array, k0: complex, *, d_eps: Array, d_k: float) -> tuple[Array, Array]:
        """Changes of k0 A and k0 B of one layer for a step ``d_k`` in k0 together with steps ``d_eps`` in
        permittivity."""
        matrices, layer = self.matrices[index], self.stack.layers[index]
        if matrices is None:
            e, de = eps[layer.material], d_eps[layer.material]
            g2 = self.length**2
            ka = np.where(self.is_l, d_k * (1.0 + g2 / (e * k0**2)) + g2 * de / (e * e * k0), d_k)
            return ka, d_k * (e + self.t_length**2 / k0**2) + k0 * de
        inner, inverse = self._permittivity(index, eps)
        kb = d_k * (inner + np.diag(self.t_length**2) / k0**2)
        ka = d_k * np.eye(self.size, dtype=complex)
        base, pairs = layer.permittivities(eps)
        d_base, d_pairs = layer.permittivities(d_eps)
        moving = bool(d_base or any(i or o for i, o in d_pairs))
        d_inner, d_scalar = (
            permittivity_slope(matrices, base, pairs, d_base, d_pairs) if moving else (0.0, None)
        )
        kb = kb + k0 * d_inner
        columns, rows = self.block.l_column, self.block.l_scalar
        if len(columns):
            g = self.length[columns]
            change = d_k * inverse / k0**2
            if d_scalar is not None:
                change = change + inverse @ d_scalar @ inverse / k0
            ka[columns[:, None], columns[None, :]] += (
                g[:, None] * change[rows[:, None], rows[None, :]] * g[None, :]
            )
        return ka, kb

    def half_space_slope(
        self, eps: complex, k0: complex, open_: Array, *, d_eps: complex, d_k: float
    ) -> Array:
        """Change of a half-space's diagonal admittance for the same steps."""
        kz = self.kz(np.asarray(eps), np.asarray(k0), open_)
        d_kz = (2.0 * eps * k0 * d_k + d_eps * k0 * k0) / (2.0 * kz)
        y_l, y_t = eps * k0 / kz, kz / k0
        return np.where(self.is_l, y_l * (d_k / k0 + d_eps / eps - d_kz / kz), y_t * (d_kz / kz - d_k / k0))

    # -- M(k0) ----------------------------------------------------------------------------------------------------

    def sides(self, k0: Array, sheets: Sheets, *, counting: bool = False) -> Sides:
        """Admittances above and below the interface, and the passages from each half-space to it.

        An admittance is a diagonal, shape (*k0.shape, m), as long as all that lies behind the interface is uniform.
        ``counting``: the passages carry their ``log_det``.
        """
        eps = self.stack.eps(k0)
        up = self.half_space(eps[self.stack.superstrate], k0, sheets.up, sheets.up_guide)
        down = self.half_space(eps[self.stack.substrate], k0, sheets.down, sheets.down_guide)
        above, below = [], []
        for index in range(self.interface):
            up, done = self._through(index, up, eps, k0, counting=counting)
            above.append(done)
        for index in range(len(self.stack.layers) - 1, self.interface - 1, -1):
            down, done = self._through(index, down, eps, k0, counting=counting)
            below.append(done)
        return up, down, above, below

    def matrix(self, k0: Array, sheets: Sheets) -> Array:
        """M(k0) = Y_up + Y_down, shape (*k0.shape, m, m)."""
        return self.joined(self.sides(k0, sheets))

    def log_count(self, sides: Sides, joined: Array, k0: Array, *, highest_k0: float) -> Array:
        """log D(k0) of the characteristic function D, analytic wherever the half-spaces' k_z are; zero at each pole.

        ``D = det[Φ_up, Φ_down; Ψ_up, -Ψ_down] = det M · det Φ_up · det Φ_down`` up to a sign, where (Φ, Ψ) are the
        fields (F, h) at the interface of waves that start as (1, Y) on the half-spaces. Unlike M, D has no poles of
        its own, is the same for every interface, and has every resonance of the stack among its zeros, however
        badly the interface sees it. A layer multiplies det Φ by
        ``det(P₁₁ + P₁₂ Y) = det(1 + X R X) det(V + Y W) / (det X det 2V)``, even in each of its q.

        What waves too short to propagate (up to ``highest_k0``) do in a layer's mean permittivity, ``exp(κ d)``, and to
        M, ``k0/κ`` or its inverse, is left out: analytic, never zero, and all that would make the phase of D turn fast
        in a large basis.
        """
        _, _, above, below = sides
        eps = self.stack.eps(k0)
        at_most = self.stack.index(np.asarray(highest_k0 + 0j)).real.max() * highest_k0
        is_short = self.length > 1.3 * at_most
        short = self.length[is_short]
        tilt = np.where(self.is_l[is_short], -1.0, 1.0)
        first = eps[self.stack.layers[min(self.interface, len(self.stack.layers) - 1)].material]
        admittance = 0.5 * np.log(short**2 - (first * k0 * k0)[..., None]) - np.log(k0)[..., None]
        total = _log_det(joined) - np.sum(tilt * admittance, axis=-1)
        for done in (*above, *below):
            assert done.log_det is not None
            layer = self.stack.layers[done.index]
            mean = eps[layer.material]
            for item, (inside, displaced) in zip(layer.inclusions, layer.permittivities(eps)[1], strict=True):
                share = item.pattern.area_nm2 / self.stack.lattice.cell_area_nm2
                mean = mean + share * (inside - displaced)
            decay = np.sqrt(short**2 - (mean * k0 * k0)[..., None]).sum(axis=-1)
            total = total + done.log_det - layer.thickness_nm * decay
        return total

    def joined(self, sides: Sides) -> Array:
        """Y_up + Y_down as a full matrix; either may be a diagonal."""
        up, down, above, below = sides
        full_up, full_down = (
            y if any(not done.uniform for done in passes) else _diagonal(y)
            for y, passes in ((up, above), (down, below))
        )
        return full_up + full_down

    def _through(
        self, index: int, y: Array, eps: Array, k0: Array, *, counting: bool = False
    ) -> tuple[Array, Pass]:
        """Carry the admittance y behind a layer to its face towards the interface."""
        thickness = self.stack.layers[index].thickness_nm
        ka, kb = self.operators(index, eps, k0)
        if self.matrices[index] is None:
            return self._through_uniform(index, y, ka, kb, thickness, counting=counting)
        values, w = np.linalg.eig(ka @ kb)
        q = _decaying(values)
        v = (kb @ w) / q[..., None, :]
        yw = y[..., None] * w if y.ndim == q.ndim else y @ w
        turned = _turned(np.linalg.norm(v + yw, axis=-2), np.linalg.norm(v - yw, axis=-2), q * thickness)
        q, v = q * turned, v * turned[..., None, :]
        x = np.exp(1j * q * thickness)
        r = np.linalg.solve(v + yw, v - yw)
        xrx = x[..., :, None] * r * x[..., None, :]
        w_inverse = np.linalg.inv(w)
        eye = np.eye(self.size)
        out = v @ (eye - xrx) @ np.linalg.solve(eye + xrx, w_inverse)
        log_det = None
        if counting:
            log_det = _log_det(eye + xrx) + _log_det(v + yw) - _log_det(2.0 * v)
            log_det = log_det - 1j * thickness * q.sum(axis=-1)
        return out, Pass(index, w, v, q, r, x, False, w_inverse, log_det)

    def _through_uniform(
        self, index: int, y: Array, ka: Array, kb: Array, thickness: float, *, counting: bool
    ) -> tuple[Array, Pass]:
        q = _decaying(ka * kb)
        v = kb / q
        alone = y.ndim == v.ndim  # nothing but uniform layers behind it
        behind = y if alone else np.diagonal(y, axis1=-2, axis2=-1)
        turned = _turned(np.abs(v + behind), np.abs(v - behind), q * thickness)
        q, v = q * turned, v * turned
        x = np.exp(1j * q * thickness)
        one = np.ones_like(v)
        if alone:
            r = (v - y) / (v + y)
            xrx = x * r * x
            log_det = None
            if counting:
                log_det = np.sum(np.log((1.0 + xrx) * (v + y) / (2.0 * v)) - 1j * q * thickness, axis=-1)
            return v * (1.0 - xrx) / (1.0 + xrx), Pass(index, one, v, q, r, x, True, one, log_det)
        sums = _diagonal(v) + y
        r = np.linalg.solve(sums, _diagonal(v) - y)
        xrx = x[..., :, None] * r * x[..., None, :]
        eye = np.eye(self.size)
        log_det = None
        if counting:
            log_det = _log_det(eye + xrx) + _log_det(sums)
            log_det = log_det - np.sum(np.log(2.0 * v) + 1j * q * thickness, axis=-1)
        out = v[..., :, None] * np.linalg.solve(
            np.swapaxes(eye + xrx, -1, -2), np.swapaxes(eye - xrx, -1, -2)
        ).swapaxes(-1, -2)
        return out, Pass(index, one, v, q, r, x, True, one, log_det)

    def balance(self, k0: complex) -> Array:
        """``(k0/κ)^∓½`` on L and T columns, κ² = |k + G|² + k0²: times its square, admittances are of order one."""
        ratio = np.sqrt(abs(k0) / np.sqrt(self.length**2 + abs(k0) ** 2))
        return np.where(self.is_l, 1.0 / ratio, ratio)

    def open_at(self, k0: float) -> tuple[Array, Array]:
        """Masks of the channels above and below that are open at a real wavenumber."""
        masks = []
        eps = self.stack.eps(np.asarray(k0 + 0j))
        for number in (self.stack.superstrate, self.stack.substrate):
            e = complex(eps[number])
            masks.append((k0 >= (self.length / np.sqrt(e)).real) & (e.real > 0.0))
        return masks[0], masks[1]

    def sheets_at(self, k0: complex) -> Sheets:
        """The physical sheets at one point: open where Re k0 is past the threshold."""
        up, down = self.open_at(k0.real)
        return Sheets(up, down)


def has_thresholds(stack: NumericStack, number: int, k0: float, *, depth: float) -> bool:
    """Whether channels of a half-space open near the real axis: not in a metal, nor where light is absorbed at once.

    The cut of √(ε k0² - |k + G|²) runs from the threshold towards k0 = 0, at the depth ``Re k0 tan(arg n)``.
    """
    n = complex(stack.index(np.asarray(k0 + 0j))[number])
    return n.real**2 > n.imag**2 and abs(n.imag) * k0 < 1.5 * depth * n.real


def _decaying(squares: Array) -> Array:
    """Square roots with Im ≥ 0: the waves that decay, or propagate, along +z."""
    q = np.sqrt(squares)
    return np.where(np.imag(q) < 0.0, -q, q)


def _turned(sums: Array, gaps: Array, phase: Array) -> Array:
    """-1 for waves to be written with the other sign of q (and so of V), else 1; ``phase`` is q d.

    A wave that leaves into a half-space grows outwards below the real axis, and so does its continuation in a layer
    of a like index: written with the decaying q it has v = -y, and would be reflected without limit. The sign is
    taken that makes ``X R X`` smaller, R being (v - y) / (v + y) or its inverse.
    """
    return np.where(sums < gaps * np.exp(-2.0 * np.minimum(np.imag(phase), 300.0)), -1.0, 1.0)


def _log_det(matrix: Array) -> Array:
    """Logarithm of a determinant, its imaginary part up to 2π."""
    sign, size = np.linalg.slogdet(matrix)
    return size + 1j * np.angle(sign)


def _diagonal(values: Array) -> Array:
    return values[..., :, None] * np.eye(values.shape[-1])
