"""The lowest pump level at which a gain curve reaches what a mode needs: one search for modelled and measured gain."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.measured import MeasuredGain
from cavitydesign.gain.pump import created_pairs, pumped_occupation
from cavitydesign.gain.rates import root_between
from cavitydesign.gain.shells import (
    TRANSITIONS,
    channel_gain_per_cm,
    model_window_nm,
    transition_energies_ev,
)
from cavitydesign.kinds import Array
from cavitydesign.units import nm_to_ev

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter, Pump


HIGHEST_PAIRS = 12.0
"""Mean occupation up to which a threshold is looked for; the two shells of the model hold eight pairs."""


class LineStatus(enum.Enum):
    """How the threshold of one line came about. The value is advice."""

    LASES = "the gain reaches what the mode needs"
    GIVEN = "emitter.threshold_pairs was given and taken as the threshold; the gain is positive there"
    UPPER_BOUND = "above threshold at the lowest measured level already; measure at lower pumping"
    NO_GAIN = (
        "the gain never reaches what the mode needs; raise Q or confinement, or move the mode to a transition"
    )
    OUT_OF_BAND = "outside the wavelengths that the gain spectrum covers; nothing is extrapolated"
    UNKNOWN_LOSS = (
        "the solver gave no threshold gain, nor Q, confinement and film index to estimate it from; "
        "use the poles solver; transparency is a lower bound"
    )

    @property
    def has_threshold(self) -> bool:
        """Whether a number stands for the threshold (for UPPER_BOUND, above it)."""
        return self in (LineStatus.LASES, LineStatus.GIVEN, LineStatus.UPPER_BOUND)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds of M modes; NaN where there is none.

    Attributes:
        created_per_shell: pairs created per shell by one pulse.
        pairs_per_shell: ⟨N⟩ that is left of them.
        transparency_pairs: ⟨N⟩ at which the film neither absorbs nor amplifies.
        share: of X, XX and MX in the stimulated emission at threshold, or else at transparency, shape (M, 3).
    """

    created_per_shell: Array
    pairs_per_shell: Array
    transparency_pairs: Array
    share: Array
    status: tuple[LineStatus, ...]


@dataclass(frozen=True, slots=True)
class Occupation:
    """What a pulse leaves, as a function of the pairs that it creates per shell.

    On a grid: ``created`` (L,), ``classes`` (L, 9), ``mean`` ⟨N⟩ (L,). In between, a short pulse is evaluated
    exactly, and a long one (a matrix exponential each) by the cubic through four neighbours in ln(created),
    which is good to 1e-6.
    """

    created: Array
    classes: Array
    mean: Array
    exact: Callable[[Array], tuple[Array, Array]] | None

    @classmethod
    def of(cls, emitter: Emitter, pump: Pump) -> Occupation:
        """From nothing up to where ⟨N⟩ passes :data:`HIGHEST_PAIRS`."""
        top = HIGHEST_PAIRS
        while float(pumped_occupation(emitter, pump, top)[1]) < HIGHEST_PAIRS and top < 1e16:
            top *= 1.2
        created = np.concatenate([[0.0], np.geomspace(1e-3, top, 240 if pump.quasi_cw else 400)])
        exact = None if pump.quasi_cw else (lambda at: pumped_occupation(emitter, pump, at))
        return cls(created, *pumped_occupation(emitter, pump, created), exact)

    def __call__(self, created: Array) -> tuple[Array, Array]:
        """Classes (M, 9) and ⟨N⟩ (M,) at ``created`` (M,) within the grid."""
        if self.exact is not None:
            return self.exact(created)
        known = np.column_stack([self.classes, self.mean])
        step = np.log(self.created[2] / self.created[1])
        place = np.log(np.maximum(created, self.created[1]) / self.created[1]) / step + 1.0
        left = np.clip(np.floor(place).astype(int), 2, len(self.created) - 3)
        u = (place - left)[:, None]
        weights = (
            -u * (u - 1) * (u - 2) / 6,
            (u + 1) * (u - 1) * (u - 2) / 2,
            -(u + 1) * u * (u - 2) / 2,
            (u + 1) * u * (u - 1) / 6,
        )
        cubic = sum(
            weight * known[left + shift] for weight, shift in zip(weights, (-1, 0, 1, 2), strict=True)
        )
        low = created[:, None] / self.created[1]
        found = np.where(low < 1.0, known[0] + low * (known[1] - known[0]), cubic)
        return found[:, :-1], found[:, -1]


Occupations = dict[tuple[float, ...], Occupation]


@dataclass(frozen=True, slots=True)
class _Medium:
    """A gain medium seen at M wavelengths: ``on_grid`` (M, L) over ``levels``, ``at`` (M,) at one level per mode."""

    levels: Array
    on_grid: Array
    at: Callable[[Array], Array]


def thresholds(
    emitter: Emitter,
    pump: Pump,
    wavelengths_nm: Array,
    required_gain_per_cm: Array,
    *,
    cache: Occupations | None = None,
) -> Thresholds:
    """Lowest pumping at which ``gain(λ_m) = required_m``; a required gain of NaN is an unknown loss, 0 is transparency.

    ``cache`` keeps occupations for further calls with the same kinetics.
    """
    occupation = _occupation(emitter, pump, {} if cache is None else cache)
    if emitter.spectrum is not None:
        return _measured_thresholds(emitter, pump, occupation, wavelengths_nm, required_gain_per_cm)
    emission, absorption = channel_gain_per_cm(emitter, wavelengths_nm)
    by_class = (emission - absorption).sum(axis=-1)

    def gain_at(created: Array) -> Array:
        return np.einsum("mn,mn->m", by_class, occupation(created)[0])

    medium = _Medium(occupation.created, by_class @ occupation.classes.T, gain_at)
    shorter, longer = model_window_nm(emitter)
    covered = (wavelengths_nm >= shorter) & (wavelengths_nm <= longer)
    transparent = np.where(covered, lowest_level(medium, np.zeros(len(wavelengths_nm))), np.nan)
    if emitter.threshold_pairs is not None:
        found = np.full(len(wavelengths_nm), _created_for(occupation, emitter.threshold_pairs))
        reached = LineStatus.GIVEN
        found[~(covered & (gain_at(found) > 0.0))] = np.nan
    else:
        found = np.where(covered, lowest_level(medium, required_gain_per_cm), np.nan)
        reached = LineStatus.LASES
    shown = np.nan_to_num(np.where(np.isfinite(found), found, transparent))
    emitted = np.einsum("mnt,mn->mt", emission, occupation(shown)[0])
    total = emitted.sum(axis=1, keepdims=True)
    return Thresholds(
        created_per_shell=found,
        pairs_per_shell=_mean(occupation, found),
        transparency_pairs=_mean(occupation, transparent),
        share=np.where(covered[:, None], emitted, 0.0) / np.where(total > 0.0, total, 1.0),
        status=_statuses(covered, required_gain_per_cm, found, reached),
    )


def lowest_level(medium: _Medium, required: Array) -> Array:
    """The lowest level (M,) at which the gain equals ``required`` (M,); NaN where it never does.

    The gain of one line rises and falls again with pumping, so the grid is scanned for the first crossing,
    and the highest grid point of a row that nearly makes it is looked at more closely; then each crossing is
    polished.
    """
    excess = medium.on_grid - required[:, None]
    levels = medium.levels
    found = np.full(len(required), np.nan)
    reached = excess >= 0.0
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
    found[first == 0] = levels[0]
    rows = np.flatnonzero(first > 0)
    low, high = np.full((2, len(required)), levels[0])
    low[rows], high[rows] = levels[first[rows] - 1], levels[first[rows]]
    for row in np.flatnonzero((first < 0) & np.isfinite(required)):
        top = _peak_above(medium, int(row), required)
        if top is not None:
            low[row], high[row] = top
            rows = np.append(rows, row)
    if rows.size:
        found[rows] = _polish(lambda at: medium.at(at) - required, low, high, rows)
    return found


def _peak_above(medium: _Medium, row: int, required: Array) -> tuple[float, float] | None:
    """Bracket between grid points where a maximum that the grid missed reaches the requirement, or None."""
    curve = medium.on_grid[row]
    peak = int(curve.argmax())
    scale = float(np.abs(curve).max())
    if peak in (0, len(curve) - 1) or required[row] - curve[peak] > 0.01 * scale:
        return None
    below = float(medium.levels[peak - 1])
    for level in np.linspace(below, medium.levels[peak + 1], 41)[1:-1]:
        if medium.at(np.full(len(required), level))[row] >= required[row]:
            return below, float(level)
    return None


def _polish(excess: Callable[[Array], Array], low: Array, high: Array, rows: Array) -> Array:
    """Roots in the brackets of all ``rows`` at once, to 1e-11: false position, halving the stale end (Illinois)."""
    a, b = low.copy(), high.copy()
    fa, fb = excess(a), excess(b)
    side = np.zeros(len(a))
    x = b.copy()
    for _ in range(60):
        step = np.where(fb != fa, fb - fa, 1.0)
        guess = b - fb * (b - a) / step
        new = np.where((guess >= a) & (guess <= b), guess, 0.5 * (a + b))
        done = np.all(np.abs(new - x)[rows] <= 1e-11 * np.abs(new)[rows])
        x = new
        if done:
            break
        fx = excess(x)
        up = fx >= 0.0
        fa = np.where(up, np.where(side > 0, 0.5 * fa, fa), fx)
        fb = np.where(up, fx, np.where(side < 0, 0.5 * fb, fb))
        a, b = np.where(up, a, x), np.where(up, x, b)
        side = np.where(up, 1.0, -1.0)
    return x[rows]


def _occupation(emitter: Emitter, pump: Pump, cache: Occupations) -> Occupation:
    key = (
        (emitter.exciton_lifetime_ns, emitter.biexciton_auger_ns, pump.pulse_ns) if pump.quasi_cw else (0.0,)
    )
    if key not in cache:
        cache[key] = Occupation.of(emitter, pump)
    return cache[key]


def _mean(occupation: Occupation, created: Array) -> Array:
    return np.where(np.isfinite(created), occupation(np.nan_to_num(created))[1], np.nan)


def _created_for(occupation: Occupation, pairs_per_shell: float) -> float:
    """Pairs that a pulse must create to leave ``pairs_per_shell``."""
    if occupation.exact is not None:
        return pairs_per_shell
    if pairs_per_shell > (most := float(occupation.mean[-1])):
        rule = f"the pump's pulse leaves at most {most:.3g} pairs here"
        raise InputError(rule, key="emitter.threshold_pairs", value=pairs_per_shell)

    def excess(created: float) -> float:
        return float(occupation(np.array([created]))[1][0]) - pairs_per_shell

    return root_between(excess, 0.0, float(occupation.created[-1]))


def _statuses(covered: Array, required: Array, found: Array, reached: LineStatus) -> tuple[LineStatus, ...]:
    def one(row: int) -> LineStatus:
        if not covered[row]:
            return LineStatus.OUT_OF_BAND
        if np.isfinite(found[row]):
            return reached
        if not np.isfinite(required[row]) and reached is LineStatus.LASES:
            return LineStatus.UNKNOWN_LOSS
        return LineStatus.NO_GAIN

    return tuple(one(row) for row in range(len(found)))


def _measured_thresholds(
    emitter: Emitter, pump: Pump, occupation: Occupation, wavelengths_nm: Array, required: Array
) -> Thresholds:
    """The same from a table. It counts ⟨N⟩ or fluence itself; which transition it is follows from the nearest line."""
    assert emitter.spectrum is not None
    table = MeasuredGain.from_table(emitter.spectrum)
    covered = table.covers(wavelengths_nm)
    inside = np.where(covered, wavelengths_nm, table.window_nm[0])
    medium = _Medium(
        table.levels, table.on_levels_per_cm(inside), lambda levels: table.gain_per_cm(inside, levels)
    )
    level = np.where(covered, lowest_level(medium, required), np.nan)
    transparent = np.where(covered, lowest_level(medium, np.zeros(len(inside))), np.nan)
    status = list(_statuses(covered, required, level, LineStatus.LASES))
    for row in np.flatnonzero(level == table.levels[0]):
        status[row] = LineStatus.UPPER_BOUND
    transparent[transparent == table.levels[0]] = np.nan  # the table starts above transparency: not known

    def created(at: Array) -> Array:
        return np.array([_created_at(emitter, pump, occupation, table.level, one) for one in at])

    share = np.array([_nearest_line(emitter, wavelength) for wavelength in wavelengths_nm]).reshape(
        -1, len(TRANSITIONS)
    )
    return Thresholds(
        created_per_shell=created(level),
        pairs_per_shell=_mean(occupation, created(level)),
        transparency_pairs=_mean(occupation, created(transparent)),
        share=share * covered[:, None],
        status=tuple(status),
    )


def _created_at(emitter: Emitter, pump: Pump, occupation: Occupation, counted: str, level: float) -> float:
    """Pairs created per shell at a level of the table; a fluence is that of the design's own one-photon pump."""
    if not np.isfinite(level) or counted == "none":
        return np.nan
    if counted == "pairs_per_shell":
        return _created_for(occupation, level)
    if pump.photons != 1 or pump.quasi_cw:
        rule = "a table over fluence_uj_per_cm2 needs a one-photon pump with a short pulse; or give pairs_per_shell"
        raise InputError(rule, key="emitter.spectrum.level", value=counted)
    return float(created_pairs(emitter, pump, level))


def _nearest_line(emitter: Emitter, wavelength_nm: float) -> Array:
    energies = transition_energies_ev(emitter)
    distance = [np.abs(energies[name] - nm_to_ev(wavelength_nm)).min() for name in TRANSITIONS]
    return np.eye(len(TRANSITIONS))[int(np.argmin(distance))]
