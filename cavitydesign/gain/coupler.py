"""Modes + emitter + pump → lasing lines, ranked by threshold.

A mode lases where the film's material gain at its wavelength equals the gain that it needs::

    g(λ_m, ⟨N⟩) = g_th,m        g_th: threshold_gain_per_cm of the modes table (brings the pole to the real axis),
                                or k0 n / (Q Γ), Γ the share of the mode's energy in the film, n the film's
                                index

The second follows from first-order perturbation: a film index ``n - iκ`` changes a resonance by ``δk0/k0 =
iκΓ/n``, which must make up for ``Im k0/k0 = -1/2Q``; ``g = 2 k0 κ``. The pole solver's value is the better
one and is used where it exists.

Errors: each emitter and pump input that carries a ``plus_minus`` is moved by it, up and down, one at a time;
half the change of the threshold is its contribution, and the squares are added. They cover those inputs,
linearly and as if independent. They do not cover the mode (its Q, its wavelength, the design's lengths and
indices) nor what the model leaves out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.lines import Contribution, Lines
from cavitydesign.gain.model import TRANSITIONS, GainModel, ModelOf, maker_of, model_of
from cavitydesign.gain.pump import Occupations, Pumping, pump_level, threshold_unit
from cavitydesign.gain.threshold import Thresholds, thresholds
from cavitydesign.kinds import Array
from cavitydesign.units import NM_PER_CM, k0_per_nm

if TYPE_CHECKING:
    from cavitydesign.geometry.base import SourcedNumber
    from cavitydesign.geometry.emitter import Emitter, Pump
    from cavitydesign.solvers.solution import Modes


def couple(
    modes: Modes,
    emitter: Emitter,
    pump: Pump,
    *,
    model: ModelOf | GainModel = model_of,
    film_index: float | None = None,
    sources: Iterable[SourcedNumber] | None = None,
    dark_last: bool = True,
    errors: bool = True,
) -> Lines:
    """Lasing lines of all modes.

    Args:
        model: makes the gain model of an emitter, or is one for any; see :mod:`cavitydesign.gain.model`.
        film_index: index of the gain film, for modes that have Q and confinement but no threshold gain.
        sources: records with paths ``emitter.…`` and ``pump.…`` whose ``plus_minus`` make the errors, such as
            ``design.all_sources()``; None takes those of the defaults. A number without a record counts as
            exact.
        dark_last: rank modes without radiation loss behind all others, since an infinite array flatters them
            most.
        errors: whether to propagate; without, the errors are NaN.
    """
    wavelength = modes["wavelength_nm"]
    required = required_gain_per_cm(modes, film_index=film_index)
    cache: Occupations = {}
    made = maker_of(model)

    def found_with(emitter: Emitter, pump: Pump) -> tuple[Thresholds, Array]:
        found = thresholds(made(emitter), Pumping.of(emitter, pump, cache=cache), wavelength, required)
        return found, np.asarray(pump_level(emitter, pump, found.created_per_shell), dtype=float)

    base, value = found_with(emitter, pump)
    known = np.array([status.has_threshold for status in base.status], dtype=bool)
    records = default_records(emitter, pump) if sources is None else sources
    changed = _changed(emitter, pump, records, made) if errors else ()
    moved = [_moved(record, base, value, list(starmap(found_with, sides))) for record, sides in changed]
    contributions = [_contributions(moved, row) if known[row] else () for row in range(len(modes))]

    dark = np.asarray(modes.dark, dtype=bool)
    order = _rank(value, base.transparency_pairs, wavelength, np.where(~known, 2, dark & dark_last))
    return Lines(
        wavelength_nm=wavelength[order],
        transition=_labels(base.share)[order],
        value=value[order],
        value_err=_total(contributions, "value_err", np.isfinite(value) & errors)[order],
        unit=threshold_unit(pump),
        pairs_per_shell=base.pairs_per_shell[order],
        pairs_err=_total(contributions, "pairs_err", np.isfinite(value) & errors)[order],
        transparency_pairs=base.transparency_pairs[order],
        required_gain_per_cm=required[order],
        emission_share=base.share[order],
        dark=dark[order],
        status=tuple(base.status[row] for row in order),
        contributions=tuple(contributions[row] for row in order),
        lost_if=tuple(tuple(item.path for item in moved if item.lost[row]) for row in order),
        mode_index=order,
        modes=tuple(map(tuple(modes).__getitem__, order)),
    )


def required_gain_per_cm(modes: Modes, *, film_index: float | None = None) -> Array:
    """Material gain in cm⁻¹ of power that each mode needs; NaN where its loss is not known, 0 where it has none.

    The table's own ``threshold_gain_per_cm``, else ``k0 n / (Q Γ)``. A negative number (a film that amplifies
    already) is 0.
    """
    given, wavelength = modes["threshold_gain_per_cm"], modes["wavelength_nm"]
    q, share = modes["q"], modes["confinement"]
    estimate = np.full(len(wavelength), np.nan)
    if film_index is not None:
        known = np.isfinite(share) & (share > 0.0) & (q > 0.0)
        estimate[known] = k0_per_nm(wavelength[known]) * film_index * NM_PER_CM / (q[known] * share[known])
    estimate[np.isposinf(q)] = 0.0
    return np.maximum(np.where(np.isfinite(given), given, estimate), 0.0)


def default_records(emitter: Emitter, pump: Pump) -> tuple[SourcedNumber, ...]:
    """Where the numbers come from that stand at their defaults, whether or not someone wrote them out."""
    from cavitydesign.geometry.base import default_sources

    records: list[SourcedNumber] = []
    for path, value in (("emitter", emitter), ("pump", pump)):
        fields = type(value).model_fields.items()
        changed = {name: found for name, field in fields if (found := getattr(value, name)) != field.default}
        records += default_sources(type(value).model_validate(changed), path)
    return tuple(records)


@dataclass(frozen=True, slots=True)
class _Moved:
    """Half the change of both numbers of each mode by one input's ``plus_minus``, and whether that ends its lasing."""

    path: str
    plus_minus: float
    pairs_err: Array
    value_err: Array
    lost: Array


def _moved(
    record: SourcedNumber, base: Thresholds, value: Array, sides: list[tuple[Thresholds, Array]]
) -> _Moved:
    pairs_err = half_range(base.pairs_per_shell, [found.pairs_per_shell for found, _ in sides])
    lost = np.isfinite(value) & ~np.all([np.isfinite(level) for _, level in sides], axis=0)
    value_err = half_range(value, [level for _, level in sides])
    return _Moved(record.path, record.plus_minus or 0.0, pairs_err, value_err, lost)


def _contributions(moved: Iterable[_Moved], row: int) -> tuple[Contribution, ...]:
    found = [
        Contribution(item.path, item.plus_minus, float(item.pairs_err[row]), float(item.value_err[row]))
        for item in moved
        if item.value_err[row] > 0.0 or item.pairs_err[row] > 0.0
    ]
    return tuple(sorted(found, key=lambda item: -item.value_err))


def _total(contributions: list[tuple[Contribution, ...]], name: str, known: Array) -> Array:
    sums = [math.fsum(getattr(item, name) ** 2 for item in row) for row in contributions]
    return np.where(known, np.sqrt(sums), np.nan)


def _changed(
    emitter: Emitter, pump: Pump, records: Iterable[SourcedNumber], made: ModelOf
) -> Iterator[tuple[SourcedNumber, list[tuple[Emitter, Pump]]]]:
    """Emitter and pump with one number moved up and down, for each number of theirs that may be off.

    A side is left out where it would not be allowed: a transmission above 1, a pump wavelength at which the
    cross-section is not known.
    """
    for record in records:
        owner, _, name = record.path.partition(".")
        target: Any = {"emitter": emitter, "pump": pump}.get(owner)
        number = getattr(target, name) if name in getattr(type(target), "model_fields", ()) else None
        if not record.plus_minus or not isinstance(number, int | float):
            continue
        sides = []
        for by in (record.plus_minus, -record.plus_minus):
            try:
                moved = target.replace(**{name: number + by})
                pair = (moved, pump) if owner == "emitter" else (emitter, moved)
                pump_level(*pair, 1.0)
                made(pair[0])
            except InputError:
                continue
            sides.append(pair)
        if sides:
            yield record, sides


def half_range(base: Array, sides: list[Array]) -> Array:
    """Half the distance of two sides where both exist, else that of the one to the base; 0 where none does."""
    up, down = sides[0], sides[-1]
    one = np.abs(np.where(np.isfinite(up), up, down) - base)
    both = 0.5 * np.abs(up - down)
    return np.nan_to_num(np.where(np.isfinite(both) & (len(sides) == 2), both, one))


def _labels(share: Array) -> Array:
    return np.where(share.sum(axis=1) > 0.0, np.array(TRANSITIONS, dtype=object)[share.argmax(axis=1)], "")


def _rank(value: Array, transparency_pairs: Array, wavelength: Array, group: Array) -> Array:
    """Rows in rank order; of equal thresholds the first is what gets transparent first, then the redder."""
    thresholds_first = (np.nan_to_num(column, nan=np.inf) for column in (transparency_pairs, value))
    return np.lexsort((-wavelength, *thresholds_first, group))
