"""The lowest pump level at which a gain curve reaches what a mode needs: one search for all gain models."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.model import GainModel
from cavitydesign.gain.pump import Pumping
from cavitydesign.kinds import Array


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
        """Whether the line lases at all; of UPPER_BOUND the threshold is not known, only that it lies below."""
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
class _Medium:
    """A gain medium seen at M wavelengths: ``on_grid`` (M, L) over ``levels``, ``at`` (M,) at one level per mode."""

    levels: Array
    on_grid: Array
    at: Callable[[Array], Array]


def thresholds(
    model: GainModel, pumping: Pumping, wavelengths_nm: Array, required_gain_per_cm: Array
) -> Thresholds:
    """Lowest pumping at which ``gain(λ_m) = required_m``; a required gain of NaN is an unknown loss.

    Raises:
        InputError: the model's gain is no finite number somewhere.
    """
    shorter, longer = model.window_nm
    covered = (wavelengths_nm >= shorter) & (wavelengths_nm <= longer)
    inside = np.where(covered, wavelengths_nm, shorter)
    levels = model.levels(pumping)
    medium = _Medium(
        levels,
        model.gain_per_cm(inside[:, None], pumping.at(levels)),
        lambda created: model.gain_per_cm(inside, pumping.at(created)),
    )
    if not np.isfinite(medium.on_grid[covered]).all():
        rule = "the gain model gives gain that is no finite number"
        raise InputError(rule, key="model", value=type(model).__name__)
    starts_above_zero = levels[0] != 0.0
    transparent, at_first = lowest_level(medium, np.zeros(len(inside)))
    transparent[~covered | (at_first & starts_above_zero)] = np.nan  # below the first level: not known
    status = np.full(len(inside), LineStatus.OUT_OF_BAND, dtype=object)
    status[covered] = LineStatus.NO_GAIN
    if model.given_pairs is not None:
        found = np.full(len(inside), pumping.created_for(model.given_pairs))
        reached = covered & (medium.at(found) > 0.0)
        status[reached] = LineStatus.GIVEN
    else:
        found, at_first = lowest_level(medium, required_gain_per_cm)
        reached = covered & (at_first | np.isfinite(found))
        status[covered & ~np.isfinite(required_gain_per_cm)] = LineStatus.UNKNOWN_LOSS
        status[reached] = LineStatus.LASES
        status[reached & at_first & starts_above_zero] = LineStatus.UPPER_BOUND
    found[~reached] = np.nan
    shown = np.where(np.isfinite(found), found, transparent)
    shown = np.where(np.isfinite(shown), shown, levels[0])
    return Thresholds(
        created_per_shell=found,
        pairs_per_shell=pumping.at(found).pairs_per_shell,
        transparency_pairs=pumping.at(transparent).pairs_per_shell,
        share=np.where(covered[:, None], model.shares(inside, pumping.at(shown)), 0.0),
        status=tuple(status),
    )


def lowest_level(medium: _Medium, required: Array) -> tuple[Array, Array]:
    """The lowest level (M,) at which the gain equals ``required`` (M,), NaN where it never does; where it is the first.

    The gain of one line rises and falls again with pumping, so the grid is scanned for the first crossing,
    and the highest grid point of a row that nearly makes it is looked at more closely; then each bracket is
    halved down to rounding.
    """
    levels = medium.levels
    reached = medium.on_grid >= required[:, None]
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
    low, high = np.full((2, len(required)), np.nan)
    crossed = first > 0
    low[crossed], high[crossed] = levels[first[crossed] - 1], levels[first[crossed]]
    for row in np.flatnonzero((first < 0) & np.isfinite(required)):
        low[row], high[row] = _peak_above(medium, int(row), required)
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = medium.at(middle) >= required
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(first == 0, levels[0], high), first == 0


def _peak_above(medium: _Medium, row: int, required: Array) -> tuple[float, float]:
    """Bracket between grid points where a maximum that the grid missed reaches the requirement, or NaN."""
    curve = medium.on_grid[row]
    peak = int(curve.argmax())
    scale = float(np.abs(curve).max())
    if 0 < peak < len(curve) - 1 and required[row] - curve[peak] <= 0.01 * scale:
        below = float(medium.levels[peak - 1])
        for level in np.linspace(below, medium.levels[peak + 1], 41)[1:-1]:
            if medium.at(np.full(len(required), level))[row] >= required[row]:
                return below, float(level)
    return np.nan, np.nan
