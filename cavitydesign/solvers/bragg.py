"""The scalar Bragg solver: ``m λ = 2 n_eff(λ) Λ`` with the self-consistent, dispersive n_eff of the averaged stack.

A standing wave of order m has the in-plane wavevector ``kx = m π / Λ``. So the condition says that the guided wave of
the averaged stack has exactly this kx, and its solutions λ are the zeros k0 of the stack's characteristic function at
fixed kx: all of them, with the count that proves it (``optics.resonator``). No n_eff(λ) is tabulated or interpolated.

What the theory leaves out: the coupling between the waves. In the limit of a vanishing pattern 2 (line,
rectangular), 4 (square) or 6 (hexagonal lattice) waves share each wavelength; the pattern splits them, shifts them, and
lets them radiate.

Averages. A patterned layer becomes uniform with the area-weighted ε, for TE and for TM. For E_z, which is tangential to
vertical walls, this is the exact long-wave limit; for the in-plane field it is the first order in the contrast.

Λ is the period for line, square and rectangular lattices (there along x and along y); for the hexagonal one it is the
distance √3/2 a between rows, so that m = 2 is the Γ point: ``kx = G = 4π/(√3 a)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, Status
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.index import Dispersion, combined
from cavitydesign.optics.media.numeric import NumericLayer, NumericStack, resolve_stack
from cavitydesign.optics.uniform.derivative import stack_derivative
from cavitydesign.optics.uniform.resonator import UniformResonance, uniform_resonances
from cavitydesign.solvers.ask import Ask, Solver, option
from cavitydesign.solvers.solution import Modes, Solution

_STEP = 1e-4  # in index, of the confinement's difference quotient
_Q_MIN = 5.0  # a wave that leaks faster than this is no resonance


@dataclass(frozen=True, slots=True)
class BraggLine:
    """One solution of ``m λ = 2 n_eff Λ``: order, period Λ (nm), the guided wave, and its film's confinement."""

    order: int
    period_nm: float
    wave: UniformResonance
    confinement: float


@dataclass(frozen=True)
class Bragg(Solver):
    """Settings of the scalar Bragg solver: ``m λ = 2 n_eff(λ) Λ``.

    Attributes:
        orders: m to report; None for all that fall into the window.
    """

    name: ClassVar[str] = "bragg"
    version: ClassVar[int] = 2
    asks: ClassVar[tuple[str, ...]] = ()

    orders: tuple[int, ...] | None = option(
        None, "Orders m to report; without, all in the window.", name="--orders", metavar="M,…"
    )

    def run(self, ask: Ask) -> Solution:
        """Every guided wave of every order in the window.

        ``q`` and the threshold stay NaN: this theory knows nothing of the light that the lattice radiates. ``q_up``,
        ``q_down`` and ``q_absorbed`` are the guide's own losses (leakage into a half-space, absorption). Waves are
        listed that are bound at one half-space at least, so leaky guides on an absorbing substrate are there too.
        """
        if not ask.stack.lattice.dimensions:
            raise InputError(
                "the bragg solver needs a [lattice]; for a cavity of uniform layers use the poles solver",
                key="lattice",
            )
        numeric = resolve_stack(ask.stack, window_nm=ask.window_nm)
        lines = bragg_lines(numeric, window_nm=ask.window_nm, orders=self.orders)
        waves = [line.wave for line in lines]
        shared = ("wavelength_nm", "polarization", "n_eff", "q_up", "q_down", "q_absorbed")
        modes = Modes.from_columns(
            **{name: [getattr(wave, name) for wave in waves] for name in shared},
            degeneracy=[ask.stack.lattice.guided_waves] * len(lines),
            order=[line.order for line in lines],
            confinement=[line.confinement for line in lines],
            k0_per_nm=[wave.k0 for wave in waves],
        )
        status = Status.APPROXIMATE if lines else Status.NO_MODES
        if not all(line.wave.complete for line in lines):
            status = Status.INCOMPLETE
        provenance = {
            "theory": "m λ = 2 n_eff(λ) Λ, scalar, patterned layers averaged by area",
            "periods_nm": list(ask.stack.lattice.bragg_periods_nm),
            "index_uncertainties": numeric.index_uncertainties(ask.window_nm),
        }
        return Solution(modes, status, provenance)


def bragg_lines(
    numeric: NumericStack, *, window_nm: Window, orders: Sequence[int] | None = None
) -> list[BraggLine]:
    """All solutions of ``m λ = 2 n_eff(λ) Λ`` with λ in the window; ``orders`` None: every m that can fall into it."""
    if orders is not None and any(order < 1 for order in orders):
        raise InputError("orders are whole numbers from 1", key="orders", value=list(orders))
    uniform = averaged(numeric)
    lines = []
    for period in numeric.lattice.bragg_periods_nm:
        possible = _possible_orders(uniform, period, window_nm)
        for order in possible if orders is None else sorted(set(orders) & set(possible)):
            waves = uniform_resonances(
                uniform,
                window_nm=window_nm,
                q_min=_Q_MIN,
                bloch=(order * math.pi / period, 0.0),
                closed_sides=1,
            )
            lines += [BraggLine(order, period, wave, _confinement(numeric, wave)) for wave in waves]
    return lines


def edge_notes(ask: Ask) -> list[str]:
    """For each direction with odd orders in the window, whose bands stop at the zone's edge: what to ask there."""
    numeric = resolve_stack(ask.stack, window_nm=ask.window_nm)
    found: dict[tuple[int, str], list[str]] = {}
    lines = bragg_lines(numeric, window_nm=ask.window_nm) if numeric.lattice.dimensions else []
    for line in (line for line in lines if line.order % 2):
        at = list(numeric.lattice.bragg_periods_nm).index(line.period_nm)
        edge = ",".join(f"{0.5 * part:.7g}" for part in numeric.lattice.reciprocal_per_nm[at] + 0.0)
        found.setdefault((line.order, edge), []).append(f"{line.wave.wavelength_nm:.1f}")
    return [
        f"Bragg's order {order} ({', '.join(where)} nm) stands at the edge of the zone, not at Γ; try --bloch {edge}"
        for (order, edge), where in found.items()
    ]


def averaged(numeric: NumericStack) -> NumericStack:
    """The stack with each patterned layer replaced by a uniform one: ``ε = ε_0 + Σ_i f_i (ε_i - ε_host)``.

    f_i is the area of an inclusion over that of the cell. The averaged materials are not marked as gain.
    """
    if numeric.is_uniform:
        return numeric
    area = numeric.lattice.cell_area_nm2
    materials, gain, layers = list(numeric.materials), list(numeric.gain), list(numeric.layers)
    for number, layer in enumerate(numeric.layers):
        if layer.inclusions:
            parts = [(item.pattern.area_nm2 / area, item.material, item.host) for item in layer.inclusions]
            layers[number] = NumericLayer(layer.thickness_nm, len(materials), (), layer.name)
            materials.append(_mixture(numeric, layer.material, parts))
            gain.append(False)
    return replace(numeric, materials=tuple(materials), gain=tuple(gain), layers=tuple(layers))


def _mixture(numeric: NumericStack, background: int, parts: list[tuple[float, int, int]]) -> Dispersion:
    members = sorted({background, *(number for _, *pair in parts for number in pair)})

    def n(wavelength_nm: Array) -> Array:
        eps = {
            i: (numeric.materials[i].n(wavelength_nm) + numeric.index_shift.get(i, 0.0)) ** 2 for i in members
        }
        return np.sqrt(eps[background] + sum(f * (eps[inner] - eps[host]) for f, inner, host in parts))

    def uncertainty(wavelength_nm: Array) -> Array:  # no more than that of its least certain member
        each: Array = np.stack([numeric.materials[i].uncertainty(wavelength_nm) for i in members])
        return each.real.max(axis=0) + 1j * each.imag.max(axis=0)

    averaged = [numeric.materials[i] for i in members]
    source = f"area average of {', '.join(item.source for item in averaged)}"
    return combined(averaged, n, source=source, uncertainty=uncertainty)


def _possible_orders(uniform: NumericStack, period_nm: float, window_nm: Window) -> range:
    """Orders whose n_eff = m λ / 2Λ lies between the half-spaces' lower index and the layers' largest one."""
    k0 = units.k0_per_nm(np.linspace(*window_nm, 21)).astype(complex)
    index = np.real(uniform.index(k0))
    lowest = float(np.min(index[[uniform.superstrate, uniform.substrate]]))
    used = sorted({layer.material for layer in uniform.layers} | {uniform.superstrate, uniform.substrate})
    highest = 1.02 * float(np.max(index[used]))
    least = math.ceil(2.0 * period_nm * lowest / window_nm[1] - 1e-9)
    return range(max(1, least), math.floor(2.0 * period_nm * highest / window_nm[0]) + 1)


def _confinement(numeric: NumericStack, wave: UniformResonance) -> float:
    """``Re(-(n/k0) dk0/dn)`` of the gain film, inside patterned layers too (NaN without a film)."""
    film = [number for number, is_gain in enumerate(numeric.gain) if is_gain]
    if not film:
        return math.nan
    at = np.array(wave.k0)
    total = 0.0
    for number in film:
        below, above = (averaged(numeric.shifted({number: sign * _STEP})) for sign in (-1.0, 1.0))
        dk_dn = stack_derivative(
            wave, averaged(numeric), below, above, step=_STEP, bloch=(wave.in_plane_per_nm.real, 0.0)
        )
        total += float(np.real(-numeric.index(at)[number] / wave.k0 * dk_dn))
    return total
