"""How many pairs a shell holds, during and after a pump pulse: an exact master equation for P_N(t).

::

          R         R         R
      0 ────▶ 1 ────▶ 2 ────▶ 3 …        R    pairs created per shell and ns; pumped far above the edge, so
        ◀────     ◀────     ◀────             the same for every N
          k1        k2        k3        k_N  = N²/τ_X + N²(N-1)/(4 τ_A)

The radiative rate of N pairs is N² times that of one (any electron may meet any hole), which gives the
published 4:1 of biexciton to exciton; the Auger rate counts triples, N²(N-1), and equals 1/τ_A at N = 2
(Klimov, McGuire, Schaller and Rupasov, Phys. Rev. B 77, 195324 (2008)). Trapping is left out. Times are ns,
rates 1/ns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.kinds import Array

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter


STATES = 9
"""Occupation classes: 0, 1, … 7 pairs, and eight or more."""
MOST_PAIRS = 40
"""Where the ladder of the master equation ends: the Poisson tail beyond it is < 1e-8 up to ⟨N⟩ = 14."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What a pulse leaves in the film at its end, at pump levels of shape S.

    Attributes:
        classes: share of shells with 0, 1, … 7 and with eight or more pairs, S + (9,).
        pairs_per_shell: ⟨N⟩, S.
        fluence_uj_per_cm2: of the pulse, incident, S.
    """

    classes: Array
    pairs_per_shell: Array
    fluence_uj_per_cm2: Array


def lump(ladder: Array) -> Array:
    """Collect a resolved ladder ``[..., N]`` into the nine classes; eight pairs and more are one class."""
    return np.concatenate(
        [ladder[..., : STATES - 1], ladder[..., STATES - 1 :].sum(axis=-1, keepdims=True)], axis=-1
    )


def poisson(pairs_per_shell: Any) -> Array:
    """Classes after an instantaneous pulse, ``P_N = ⟨N⟩^N e^{-⟨N⟩} / N!``; shape S + (9,), the last is N ≥ 8."""
    mean = np.asarray(pairs_per_shell, dtype=float)[..., None]
    state = np.arange(STATES - 1)
    factorial = np.array([math.factorial(n) for n in state])
    first = np.exp(-mean) * mean**state / factorial
    return np.concatenate([first, np.clip(1.0 - first.sum(axis=-1, keepdims=True), 0.0, None)], axis=-1)


def decay_rates_per_ns(emitter: Emitter) -> Array:
    """Rate of losing one pair out of N = 0 … :data:`MOST_PAIRS`, radiative and Auger, 1/ns."""
    n = np.arange(MOST_PAIRS + 1, dtype=float)
    return n**2 / emitter.exciton_lifetime_ns + n**2 * (n - 1.0) / (4.0 * emitter.biexciton_auger_ns)


def generator(decay_per_ns: Array, pump_per_ns: Any = 0.0) -> Array:
    """Matrix M of ``dP/dt = M P`` (columns sum to zero); ``pump_per_ns`` of shape S gives S + (n, n)."""
    size = decay_per_ns.size
    pump = np.asarray(pump_per_ns, dtype=float)[..., None]
    matrix = np.zeros((*pump.shape[:-1], size, size))
    n = np.arange(size)
    matrix[..., n, n] = -decay_per_ns
    matrix[..., n[:-1], n[1:]] += decay_per_ns[1:]
    matrix[..., n[1:], n[:-1]] += pump
    matrix[..., n[:-1], n[:-1]] -= pump  # the last state is not pumped further: probability is conserved
    return matrix


def evolve(occupation: Array, matrix: Array, time_ns: Any) -> Array:
    """``P(t) = exp(M t) P(0)``, exact; ``time_ns`` of shape S gives S + (n,)."""
    from scipy.linalg import expm

    times = np.asarray(time_ns, dtype=float)[..., None, None]
    return np.clip(expm(matrix * times) @ occupation[..., :, None], 0.0, None)[..., 0]


def steady_state(decay_per_ns: Array, pump_per_ns: Any) -> Array:
    """Distribution under constant pumping: detailed balance along the ladder, ``P_N ∝ Π R / k_n``.

    ``pump_per_ns`` of shape S gives S + (n,).
    """
    pump = np.asarray(pump_per_ns, dtype=float)[..., None]
    with np.errstate(divide="ignore"):
        log = np.cumsum(np.log(pump) - np.log(decay_per_ns[1:]), axis=-1)
    log = np.concatenate([np.zeros(pump.shape), log], axis=-1)
    weights = np.exp(log - log.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def square_pulse(emitter: Emitter, created_per_shell: Any, pulse_ns: float) -> tuple[Array, Array]:
    """Classes S + (9,) and ⟨N⟩ (S) at the end of a square pulse that creates ``created_per_shell`` (S) pairs per shell.

    The end is where ⟨N⟩ is largest. Much shorter than the lifetimes it is the Poisson distribution; much
    longer, it is :func:`steady_state` with ``R = created / pulse``.
    """
    decay = decay_rates_per_ns(emitter)
    rate = np.asarray(created_per_shell, dtype=float) / pulse_ns
    if pulse_ns * decay[1] > 50.0:  # every transient is below exp(-50)
        ladder = steady_state(decay, rate)
    else:
        ladder = evolve(np.eye(decay.size)[0], generator(decay, rate), pulse_ns)
    return lump(ladder), ladder @ np.arange(decay.size)
