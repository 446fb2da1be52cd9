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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.lines import Contribution, Lines
from cavitydesign.gain.model import TRANSITIONS, ModelOf, model_of
from cavitydesign.gain.pump import Occupations, Pumping, pump_level, threshold_unit
from cavitydesign.gain.threshold import Thresholds, thresholds
from cavitydesign.kinds import Array
from cavitydesign.units import NM_PER_CM, k0_per_nm

if TYPE_CHECKING:
    from cavitydesign.geometry.base import SourcedNumber
    from cavitydesign.geometry.emitter import Emitter, Pump


class ModesTable(Protocol):
    """What is read of a modes table: its length, columns by name, and its modes."""

    def __len__(self) -> int: ...

    def __getitem__(self, name: str, /) -> Array: ...

    @property
    def dark(self) -> Array: ...

    def __iter__(self) -> Iterator[Any]: ...


def couple(
    modes: ModesTable,
    emitter: Emitter,
    pump: Pump,
    *,
    model: ModelOf = model_of,
    film_index: float | None = None,
    sources: Iterable[SourcedNumber] | None = None,
    dark_last: bool = True,
    errors: bool = True,
) -> Lines:
    """Lasing lines of all modes.

    Args:
        model: makes the gain model of an emitter; see :mod:`cavitydesign.gain.model`.
        film_index: index of the gain film, for modes that have Q and confinement but no threshold gain.
        sources: records with paths ``emitter.…`` and ``pump.…`` whose ``plus_minus`` make the errors, such as
            ``design.all_sources()``; None takes those of the defaults. A number without a record counts as
            exact.
        dark_last: rank modes without radiation loss behind all others, since an infinite array flatters them
            most.
        errors: whether to propagate; without, the errors are NaN.
    """
    wavelength = np.asarray(modes["wavelength_nm"], dtype=float)
    required = required_gain_per_cm(modes, film_index=film_index)
    cache: Occupations = {}
    base = thresholds(model(emitter), Pumping.of(emitter, pump, cache=cache), wavelength, required)
    value = _level(emitter, pump, base)
    records = default_records(emitter, pump) if sources is None else tuple(sources)
    if errors:
        moved = _propagate(emitter, pump, wavelength, required, records, (base, value), cache, model)
    else:
        moved = _Errors.none(len(wavelength))
    dark = np.asarray(modes.dark, dtype=bool)
    order = _rank(value, base, wavelength, dark & dark_last)
    return Lines(
        wavelength_nm=wavelength[order],
        transition=_labels(base.share)[order],
        value=value[order],
        value_err=moved.value_err[order],
        unit=threshold_unit(pump),
        pairs_per_shell=base.pairs_per_shell[order],
        pairs_err=moved.pairs_err[order],
        transparency_pairs=base.transparency_pairs[order],
        required_gain_per_cm=required[order],
        emission_share=base.share[order],
        dark=dark[order],
        status=tuple(base.status[row] for row in order),
        contributions=tuple(moved.contributions[row] for row in order),
        lost_if=tuple(moved.lost_if[row] for row in order),
        mode_index=order,
        modes=tuple(map(tuple(modes).__getitem__, order)),
    )


def required_gain_per_cm(modes: ModesTable, *, film_index: float | None = None) -> Array:
    """Material gain in cm⁻¹ of power that each mode needs; NaN where its loss is not known, 0 where it has none.

    The table's own ``threshold_gain_per_cm``, else ``k0 n / (Q Γ)``. A negative number (a film that amplifies
    already) is 0.
    """
    given = np.asarray(modes["threshold_gain_per_cm"], dtype=float)
    wavelength = np.asarray(modes["wavelength_nm"], dtype=float)
    q, share = (np.asarray(modes[name], dtype=float) for name in ("q", "confinement"))
    estimate = np.full(len(wavelength), np.nan)
    if film_index is not None:
        known = np.isfinite(share) & (share > 0.0) & (q > 0.0)
        estimate[known] = k0_per_nm(wavelength[known]) * film_index * NM_PER_CM / (q[known] * share[known])
    estimate[np.isposinf(q)] = 0.0
    return np.maximum(np.where(np.isfinite(given), given, estimate), 0.0)


def default_records(emitter: Emitter, pump: Pump) -> tuple[SourcedNumber, ...]:
    """Where the numbers come from that stand at their defaults, whether or not someone wrote them out."""
    from cavitydesign.geometry.base import default_sources

    found: list[SourcedNumber] = []
    for path, value in (("emitter", emitter), ("pump", pump)):
        kind = type(value)
        fields = {name: getattr(value, name) for name in kind.model_fields}
        changed = {name: item for name, item in fields.items() if item != kind.model_fields[name].default}
        found += default_sources(kind.model_validate(changed), path)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Errors:
    value_err: Array
    pairs_err: Array
    contributions: Sequence[tuple[Contribution, ...]]
    lost_if: Sequence[tuple[str, ...]]

    @classmethod
    def none(cls, rows: int) -> _Errors:
        return cls(np.full(rows, np.nan), np.full(rows, np.nan), [()] * rows, [()] * rows)


def _propagate(
    emitter: Emitter,
    pump: Pump,
    wavelength: Array,
    required: Array,
    records: Iterable[SourcedNumber],
    base: tuple[Thresholds, Array],
    cache: Occupations,
    model: ModelOf,
) -> _Errors:
    """One input at a time; see the module's text."""
    rows = len(wavelength)
    contributions: list[list[Contribution]] = [[] for _ in range(rows)]
    lost: list[list[str]] = [[] for _ in range(rows)]
    for record in records:
        if not record.plus_minus:
            continue
        sides = []
        for sign in (1.0, -1.0):
            changed = _changed(emitter, pump, record, sign * record.plus_minus, model)
            if changed is not None:
                pumping = Pumping.of(*changed, cache=cache)
                found = thresholds(model(changed[0]), pumping, wavelength, required)
                sides.append((found.pairs_per_shell, _level(*changed, found)))
        if not sides:
            continue
        pairs_err = _half_range(base[0].pairs_per_shell, [side[0] for side in sides])
        value_err = _half_range(base[1], [side[1] for side in sides])
        for row in range(rows):
            if not base[0].status[row].has_threshold:
                continue
            if any(not np.isfinite(side[1][row]) for side in sides) and np.isfinite(base[1][row]):
                lost[row].append(record.path)
            if value_err[row] > 0.0 or pairs_err[row] > 0.0:
                contributions[row].append(
                    Contribution(record.path, record.plus_minus, float(pairs_err[row]), float(value_err[row]))
                )
    known = np.array([status.has_threshold for status in base[0].status], dtype=bool)

    def total(name: str) -> Array:
        sums = np.array([math.fsum(getattr(c, name) ** 2 for c in row) for row in contributions])
        return np.where(known, np.sqrt(sums), np.nan)

    ordered = [tuple(sorted(row, key=lambda c: -c.value_err)) for row in contributions]
    return _Errors(total("value_err"), total("pairs_err"), ordered, [tuple(row) for row in lost])


def _changed(
    emitter: Emitter, pump: Pump, record: SourcedNumber, by: float, model: ModelOf
) -> tuple[Emitter, Pump] | None:
    """Emitter and pump with one number moved.

    None if it belongs to neither, or where it would not be allowed: a transmission above 1, a pump wavelength at
    which the cross-section is not known.
    """
    owner, _, name = record.path.partition(".")
    target: Any = {"emitter": emitter, "pump": pump}.get(owner)
    if (
        target is None
        or name not in type(target).model_fields
        or not isinstance(getattr(target, name), int | float)
    ):
        return None
    try:
        moved = target.replace(**{name: getattr(target, name) + by})
        pair = (moved, pump) if owner == "emitter" else (emitter, moved)
        pump_level(*pair, 1.0)
        model(pair[0])
    except InputError:
        return None
    return pair


def _half_range(base: Array, sides: list[Array]) -> Array:
    """Half the distance of two sides where both exist, else that of the one to the base; 0 where none does."""
    finite = [np.isfinite(side) for side in sides]
    if len(sides) == 2:
        both = 0.5 * np.abs(sides[0] - sides[1])
        one = np.where(finite[0], np.abs(sides[0] - base), np.abs(sides[1] - base))
        return np.nan_to_num(np.where(finite[0] & finite[1], both, one))
    return np.nan_to_num(np.abs(sides[0] - base))


def _level(emitter: Emitter, pump: Pump, found: Thresholds) -> Array:
    return np.asarray(pump_level(emitter, pump, found.created_per_shell), dtype=float)


def _labels(share: Array) -> Array:
    names = np.array(TRANSITIONS, dtype=object)
    if len(share) == 0:
        return names[:0]
    return np.where(share.sum(axis=1) > 0.0, names[share.argmax(axis=1)], "")


def _rank(value: Array, base: Thresholds, wavelength: Array, behind: Array) -> Array:
    """Rows in rank order; of equal thresholds the first is what gets transparent first, then the redder."""
    has = np.array([status.has_threshold for status in base.status], dtype=bool)
    group = np.where(~has, 2, np.where(behind, 1, 0))
    keys = (
        -wavelength,
        np.nan_to_num(base.transparency_pairs, nan=np.inf),
        np.nan_to_num(value, nan=np.inf),
        group,
    )
    return np.lexsort(keys)
