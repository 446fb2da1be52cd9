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
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.kinds import Array

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter


STATES = 9
"""Occupation classes: 0, 1, … 7 pairs, and eight or more."""
MOST_PAIRS = 40
"""Where the ladder of the master equation ends: the Poisson tail beyond it is < 1e-8 up to ⟨N⟩ = 14."""


def lump(occupation: Any) -> Array:
    """Collect ``occupation[..., N]`` of any length into the nine classes; eight pairs and more are one class."""
    given = np.asarray(occupation, dtype=float)
    classes = np.zeros((*given.shape[:-1], STATES))
    classes[..., : min(given.shape[-1], STATES)] = given[..., :STATES]
    classes[..., -1] += given[..., STATES:].sum(axis=-1)
    return classes


def poisson(pairs_per_shell: Any) -> Array:
    """Classes after an instantaneous pulse, ``P_N = ⟨N⟩^N e^{-⟨N⟩} / N!``; shape S + (9,), the last is N ≥ 8."""
    mean = np.asarray(pairs_per_shell, dtype=float)[..., None]
    state = np.arange(STATES - 1)
    factorial = np.array([math.factorial(n) for n in state], dtype=float)
    first = np.exp(-mean) * mean**state / factorial
    return np.concatenate([first, np.clip(1.0 - first.sum(axis=-1, keepdims=True), 0.0, None)], axis=-1)


def poisson_ladder(pairs_per_shell: float, *, most_pairs: int = MOST_PAIRS) -> Array:
    """The same, resolved up to ``most_pairs``; what lies beyond is put into the last state. Shape (most_pairs + 1,)."""
    ladder = np.zeros(most_pairs + 1)
    term = math.exp(-pairs_per_shell)
    for state in range(most_pairs):
        ladder[state] = term
        term *= pairs_per_shell / (state + 1)
    ladder[-1] = max(0.0, 1.0 - ladder.sum())
    return ladder


def decay_rates_per_ns(emitter: Emitter, *, most_pairs: int = MOST_PAIRS) -> Array:
    """Rate of losing one pair out of N = 0 … ``most_pairs``, radiative and Auger, 1/ns."""
    n = np.arange(most_pairs + 1, dtype=float)
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


def mean_pairs(occupation: Array) -> Any:
    """``⟨N⟩ = Σ N P_N`` of a resolved ladder."""
    return occupation @ np.arange(occupation.shape[-1])


def after_pulse(emitter: Emitter, pairs_per_shell: float, times_ns: Any) -> Array:
    """Distribution at ``times_ns`` after an instantaneous pulse that created ``pairs_per_shell``; S + (41,)."""
    return evolve(poisson_ladder(pairs_per_shell), generator(decay_rates_per_ns(emitter)), times_ns)


def square_pulse(emitter: Emitter, created_per_shell: Any, pulse_ns: float) -> tuple[Array, Array]:
    """Classes S + (9,) and ⟨N⟩ (S) at the end of a square pulse that creates ``created_per_shell`` (S) pairs per shell.

    The end is where ⟨N⟩ is largest. Much shorter than the lifetimes it is the Poisson distribution; much
    longer, it is :func:`steady_state` with ``R = created / pulse``.
    """
    decay = decay_rates_per_ns(emitter)
    rate = np.asarray(created_per_shell, dtype=float) / pulse_ns
    if pulse_ns * decay[1] > 50.0:  # every transient is below exp(-50)
        ladder = steady_state(decay, rate)
        return lump(ladder), mean_pairs(ladder)
    empty = np.zeros(decay.size)
    empty[0] = 1.0
    ladder = evolve(empty, generator(decay, rate), pulse_ns)
    return lump(ladder), mean_pairs(ladder)


def root_between(function: Callable[[float], float], low: float, high: float) -> float:
    """The root of a function that changes sign between ``low`` and ``high`` (Brent)."""
    from scipy.optimize import root_scalar

    return float(root_scalar(function, bracket=(low, high), method="brentq", xtol=1e-13).root)
