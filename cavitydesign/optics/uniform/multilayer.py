"""Scalar TE and TM algebra of uniform stacks: characteristic function and fields.

Conventions (exp(-iωt), z from the substrate up to the superstrate, z = 0 on the substrate, in-plane wavevector kx)::

    ────────────── superstrate    ↑ z      F   tangential E:  TE E_y,   TM E_x
      layers[0]                            h   tangential H:  TE -H_x,  TM H_y
      ...                                  F' = i k0 a h,   h' = i k0 b F
      layers[-1]                           TE a = 1, b = q²;   TM a = q²/ε, b = ε
    ────────────── substrate, z = 0        q = kz/k0,  q² = ε - u²,  u = kx/k0

A wave that travels or decays upwards has ``h = p F``, one downwards ``h = -p F``, with ``p = q`` (TE) or ``ε/q`` (TM).

Sheets. In the half-spaces kz is a square root of ``z = ε k0² - kx²``, and each half-space is either

* ``"open"``: kz = √z, the principal root. Outgoing waves, leaky ones included; its cut is where z is negative;
* ``"closed"``: kz = i √(-z). Bound waves; its cut is where z is positive.

A search for modes splits its region at the real part of the branch point z = 0. At fixed kx (unknown k0) a half-space
is open to the right of it and closed to the left; at fixed k0 (unknown n_eff = u) it is open where Re u < Re √ε and
closed beyond. With this rule neither cut enters the half of the region in which its root is used, also for complex ε.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack

Polarization = Literal["TE", "TM"]
Sheet = Literal["open", "closed"]
Sheets = tuple[Sheet, Sheet]
"""Of superstrate and substrate."""


@dataclass(frozen=True, slots=True)
class Media:
    """What the algebra needs: rows of permittivities, and which row each layer uses.

    Attributes:
        eps: relative permittivities, shape (rows, *points); a scalar point shape broadcasts.
        layers: (thickness in nm, row) from the substrate up to the superstrate.
        superstrate, substrate: rows of the half-spaces.
    """

    eps: Array
    layers: tuple[tuple[float, int], ...]
    superstrate: int
    substrate: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field along z. ``tangential_e`` is E_y (TE) or E_x (TM), ``normal_e`` E_z; H in units of E over 377 Ω.

    ``normal_h`` is H_z (TE), ``tangential_h`` is -H_x (TE) or H_y (TM). ``eps`` is the permittivity at each z.
    """

    z_nm: Array
    tangential_e: Array
    tangential_h: Array
    normal_e: Array
    normal_h: Array
    eps: Array

    @property
    def e2(self) -> Array:
        """|E|² = |tangential E|² + |E_z|²."""
        return np.abs(self.tangential_e) ** 2 + np.abs(self.normal_e) ** 2

    @property
    def h2(self) -> Array:
        """|H|² in the units of E."""
        return np.abs(self.tangential_h) ** 2 + np.abs(self.normal_h) ** 2


def media(numeric: NumericStack, k0: Array | complex) -> Media:
    """Permittivities of a uniform stack at complex k0 (1/nm), as the algebra takes them."""
    if not numeric.is_uniform:
        raise InputError("a layer has inclusions; use the poles solver for patterned stacks", key="stack")
    layers = tuple((layer.thickness_nm, layer.material) for layer in reversed(numeric.layers))
    return Media(numeric.eps(np.asarray(k0, dtype=complex)), layers, numeric.superstrate, numeric.substrate)


def characteristic(
    stack: Media, k0: Array | complex, u: Array | complex, polarization: Polarization, sheets: Sheets
) -> tuple[Array, Array]:
    """The function whose zeros are the modes, as ``(value, log_scale)``; true value ``value · exp(log_scale)``.

    With F, h carried from the substrate by ``(F, h) → (F cos δ - i h sin δ/p, h cos δ - i p F sin δ)`` (h counted
    downwards), ``D = h + q F`` (TE) or ``q h + ε F`` (TM) with q, ε of the superstrate. Every layer's matrix is entire
    in q², and D starts from (1, q) or (q, ε) of the substrate, so D is analytic apart from the half-spaces' roots.

    Args:
        k0: complex vacuum wavenumber, 1/nm; broadcasts, as u does, against ``stack.eps[row]``.
        u: kx/k0.
    """
    te = polarization == "TE"
    u2 = np.square(u)
    eps_low, eps_high = stack.eps[stack.substrate], stack.eps[stack.superstrate]
    q_high = half_space_q(eps_high, k0, u2, sheets[0])
    q_low = half_space_q(eps_low, k0, u2, sheets[1])
    f, h = (np.ones_like(q_low), q_low) if te else (q_low, eps_low + 0.0 * q_low)
    log_scale = np.zeros(np.shape(q_low))
    known: dict[tuple[float, int], tuple[Array, Array, Array, Array]] = {}
    for key in stack.layers:
        if key not in known:
            known[key] = _layer(stack.eps[key[1]], key[0], k0, u2, te=te)
        c, upper, lower, grown = known[key]
        f, h = c * f - upper * h, c * h - lower * f
        log_scale = log_scale + grown
    return (h + q_high * f if te else q_high * h + eps_high * f), log_scale


def half_space_q(eps: Array, k0: Array | complex, u2: Array | complex, sheet: Sheet) -> Array:
    """``q = kz/k0`` of a half-space on the given sheet."""
    z = (eps - u2) * np.square(k0)
    return (np.sqrt(z + 0j) if sheet == "open" else 1j * np.sqrt(-z + 0j)) / k0


def phase_rate(stack: Media, k0: Array | complex, u: Array | complex) -> Array:
    """``Σ k0 d / |q|`` (|q| at least 1/k0 d): how fast D's phase turns per change of u²/2, or of any ε/2."""
    total = np.zeros(np.broadcast(stack.eps[0], k0, u).shape)
    for d, row in stack.layers:
        kd = np.abs(k0) * d
        total = total + kd / np.maximum(np.sqrt(np.abs(stack.eps[row] - np.square(u))), 1.0 / kd)
    return np.maximum(total, 0.1)


def field_profile(
    numeric: NumericStack,
    k0: complex,
    *,
    u: complex = 0.0,
    polarization: Polarization = "TE",
    sheets: Sheets = ("open", "open"),
    z_nm: Array | None = None,
) -> Field:
    """The field of a mode at ``k0`` (1/nm, complex) and ``u = kx/k0``, largest |E| equal to one and real there.

    Upward and downward admittances are carried to the interface where they match best, and the field runs from there
    outwards, in the direction in which it decays: evanescent layers of any thickness do no harm. At a (k0, u) that
    is no mode the field jumps there. ``z_nm`` defaults to 40 points per wavelength in the layers and half a
    wavelength of either half-space.
    """
    stack = media(numeric, k0)
    z = _grid(stack, k0) if z_nm is None else np.asarray(z_nm, dtype=float)
    f, h, row = mode_field(stack, k0, u, polarization, sheets, z)
    eps_z = stack.eps[row]
    ez = -u / eps_z * h if polarization == "TM" else np.zeros_like(f)
    hz = u * f if polarization == "TE" else np.zeros_like(f)
    e2 = np.abs(f) ** 2 + np.abs(ez) ** 2
    peak = int(np.argmax(e2))
    largest = f[peak] if abs(f[peak]) >= abs(ez[peak]) else ez[peak]
    norm = math.sqrt(float(e2[peak])) * largest / abs(largest)
    return Field(z, f / norm, h / norm, ez / norm, hz / norm, eps_z)


def _grid(stack: Media, k0: complex) -> Array:
    half_wave = math.pi / abs(k0)
    edges = np.concatenate([[0.0], np.cumsum([d for d, _ in stack.layers])])
    parts = [np.linspace(-half_wave, 0.0, 21)]
    for (d, row), bottom in zip(stack.layers, edges, strict=False):
        points = max(8, int(20.0 * d * abs(np.sqrt(stack.eps[row])) / half_wave))
        parts.append(bottom + d * (np.arange(points) + 0.5) / points)
    parts.append(edges[-1] + np.linspace(0.0, half_wave, 21))
    return np.concatenate(parts)


def mode_field(
    stack: Media, k0: complex, u: complex, polarization: Polarization, sheets: Sheets, z: Array
) -> tuple[Array, Array, Array]:
    """(F, h, row of ε) of a mode at the heights z; h counted upwards; not normalised."""
    u2 = complex(u) ** 2
    ends = [
        (row, half_space_q(stack.eps[row], k0, u2, sheet))
        for row, sheet in zip((stack.superstrate, stack.substrate), sheets, strict=True)
    ]
    y_ends = [_admittance(stack.eps[row], q, polarization) for row, q in ends]
    up = _waves(stack.eps, stack.layers, k0, u2, polarization, y_ends[0])
    down = _waves(stack.eps, stack.layers[::-1], k0, u2, polarization, y_ends[1])
    y_up, y_down = up.y, down.y[::-1]
    with np.errstate(all="ignore"):
        misfit = np.abs(y_up + y_down) / (np.abs(y_up) + np.abs(y_down))
    n = len(stack.layers)
    middle = int(np.nanargmin(misfit))
    edges = np.concatenate([[0.0], np.cumsum([d for d, _ in stack.layers])])
    f_at = np.ones(n + 1, dtype=complex)
    for j in range(middle, n):
        f_at[j + 1] = f_at[j] * up.hop[j]
    for j in range(middle, 0, -1):
        f_at[j - 1] = f_at[j] * down.hop[n - j]
    f, h, row = np.zeros(len(z), complex), np.zeros(len(z), complex), np.zeros(len(z), int)
    where = np.searchsorted(edges, z, side="right") - 1
    for j in range(-1, n + 1):
        at = (where == j) if j < n else (where >= n)
        if not at.any():
            continue
        if j in (-1, n):
            below = j < 0
            height = -z[at] if below else z[at] - edges[-1]
            row[at], q = ends[int(below)]
            f[at] = f_at[0 if below else n] * np.exp(1j * q * k0 * height)
            h[at] = (-y_ends[1] if below else y_ends[0]) * f[at]
            continue
        d, row[at] = stack.layers[j]
        upwards = j >= middle
        r, q, p = (up if upwards else down).inner[j if upwards else n - 1 - j]
        start, height = (f_at[j], z[at] - edges[j]) if upwards else (f_at[j + 1], edges[j + 1] - z[at])
        near, far = np.exp(1j * q * k0 * height), r * np.exp(1j * q * k0 * (2.0 * d - height))
        amplitude = start / (1.0 + r * np.exp(2j * q * k0 * d))
        f[at] = amplitude * (near + far)
        h[at] = (1.0 if upwards else -1.0) * p * amplitude * (near - far)
    return f, h, row


@dataclass(slots=True)
class _Waves:
    """Looking upwards: y admittance at each interface from below, hop F(top)/F(bottom), inner (r, q, p) per layer."""

    y: Array
    hop: list[complex]
    inner: list[tuple[complex, complex, complex]]


def _waves(
    eps: Array,
    layers: Sequence[tuple[float, int]],
    k0: complex,
    u2: complex,
    polarization: Polarization,
    p_end: Array,
) -> _Waves:
    y = np.empty(len(layers) + 1, dtype=complex)
    y[-1] = p_end
    hop, inner = [], []
    for j in range(len(layers) - 1, -1, -1):
        d, row = layers[j]
        q2 = eps[row] - u2
        q = np.sqrt((1e-14 if abs(q2) < 1e-14 else q2) + 0j)
        q = -q if (q * k0).imag < 0.0 else q  # either root will do inside; this one makes exp(iδ) decay
        p = _admittance(eps[row], q, polarization)
        r = (p - y[j + 1]) / (p + y[j + 1])
        x = np.exp(1j * q * k0 * d)
        hop.append((1.0 + r) * x / (1.0 + r * x * x))
        y[j] = p * (1.0 - r * x * x) / (1.0 + r * x * x)
        inner.append((r, q, p))
    return _Waves(y, hop[::-1], inner[::-1])


def _admittance(eps: Array, q: Array, polarization: Polarization) -> Array:
    return q if polarization == "TE" else eps / q


def _layer(
    eps: Array, d: float, k0: Array | complex, u2: Array | complex, *, te: bool
) -> tuple[Array, Array, Array, Array]:
    """(cos δ, i k0 d a sinc δ, i k0 d b sinc δ) times exp(-|Im δ|), and |Im δ|."""
    q2 = eps - u2
    kd = k0 * d
    delta = np.sqrt(q2 + 0j) * kd
    grown = np.abs(delta.imag)
    turned = np.where(delta.imag < 0.0, -1.0, 1.0)
    delta = delta * turned
    forward = np.exp(1j * delta.real - 2.0 * grown)
    backward = np.exp(-1j * delta.real)
    c = 0.5 * (forward + backward)
    small = np.abs(delta) < 1e-3  # the sinc by its series
    safe = np.where(small, 1.0, delta)
    d2 = delta * delta
    sinc = np.where(
        small, np.exp(-grown) * (1.0 - d2 / 6.0 * (1.0 - d2 / 20.0)), -0.5j * (forward - backward) / safe
    )
    common = 1j * kd * sinc
    return (c, common, common * q2, grown) if te else (c, common * q2 / eps, common * eps, grown)
