"""A measured gain spectrum: linear interpolation within the table, and nothing outside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.model import TRANSITIONS, Filling, GainModel, register
from cavitydesign.gain.pump import Pumping, created_pairs
from cavitydesign.gain.shells import transition_energies_ev
from cavitydesign.kinds import Array
from cavitydesign.units import nm_to_ev

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter, GainTable


@dataclass(frozen=True, slots=True)
class MeasuredGain:
    """Gain over wavelength at one or several pump levels.

    ``levels`` (L,) rise; ``level`` says what they count (``pairs_per_shell``, ``fluence_uj_per_cm2`` or
    ``none``). ``curves[l]`` is a pair of arrays, wavelength in nm and gain in cm⁻¹; ``window_nm`` is what all
    curves cover.
    """

    table: str
    level: str
    levels: Array
    curves: tuple[tuple[Array, Array], ...]

    @classmethod
    def from_table(cls, table: GainTable) -> MeasuredGain:
        """The value of a design as arrays."""
        rows, wavelength, gain = (
            np.asarray(c) for c in (table.levels, table.wavelengths_nm, table.gain_per_cm)
        )
        levels = np.unique(rows)
        curves = tuple((wavelength[rows == level], gain[rows == level]) for level in levels)
        measured = cls(table.table, table.level, levels, curves)
        shorter, longer = measured.window_nm
        if shorter >= longer:
            raise InputError("the levels of a gain table must share a range of wavelengths", file=table.table)
        return measured

    @property
    def window_nm(self) -> tuple[float, float]:
        """Wavelengths (shorter, longer) in nm that every level covers."""
        return max(float(curve[0][0]) for curve in self.curves), min(
            float(curve[0][-1]) for curve in self.curves
        )

    def covers(self, wavelengths_nm: Any) -> Array:
        """Which wavelengths lie within :attr:`window_nm`."""
        asked = np.atleast_1d(np.asarray(wavelengths_nm, dtype=float))
        return (asked >= self.window_nm[0]) & (asked <= self.window_nm[1])

    def on_levels_per_cm(self, wavelengths_nm: Any) -> Array:
        """Gain in cm⁻¹ at each wavelength (W) and tabulated level (L), shape (W, L). Outside the table: InputError."""
        asked = np.atleast_1d(np.asarray(wavelengths_nm, dtype=float))
        outside = asked[~self.covers(asked)]
        if outside.size:
            rule = f"the gain table covers {self.window_nm[0]:g}-{self.window_nm[1]:g} nm and is not extrapolated"
            raise InputError(rule, file=self.table, key="wavelength_nm", value=float(outside[0]))
        return np.stack([np.interp(asked, *curve) for curve in self.curves], axis=-1)

    def gain_per_cm(self, wavelengths_nm: Any, levels: Any) -> Array:
        """Gain in cm⁻¹ at pairs of wavelength and level (both W), linear in either. Outside the table: InputError."""
        at_levels = self.on_levels_per_cm(wavelengths_nm)
        asked = np.broadcast_to(np.asarray(levels, dtype=float), at_levels.shape[:1])
        outside = asked[(asked < self.levels[0]) | (asked > self.levels[-1])]
        if outside.size:
            rule = (
                f"the gain table covers levels {self.levels[0]:g}-{self.levels[-1]:g} and is not extrapolated"
            )
            raise InputError(rule, file=self.table, key=self.level, value=float(outside[0]))
        return np.array([np.interp(one, self.levels, row) for one, row in zip(asked, at_levels, strict=True)])


class Measured(GainModel):
    """The table of an emitter, as a gain model; which transition it is follows from the nearest line."""

    def __init__(self, emitter: Emitter, table: GainTable):
        self.table = MeasuredGain.from_table(table)
        self.window_nm = self.table.window_nm
        self._energies_ev = transition_energies_ev(emitter)

    def gain_per_cm(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`."""
        lowest, highest = self.table.levels[[0, -1]]
        if self.table.level == "none":
            counted = np.full(np.shape(filling.pairs_per_shell), lowest)
        else:
            counted = getattr(filling, self.table.level)
        near = 1e-5 * highest  # what a filling between the nodes of a long pulse may be off by
        at_edge = np.clip(counted, lowest, highest)
        counted = np.where(np.abs(counted - at_edge) <= near, at_edge, counted)
        wavelengths, counted = np.broadcast_arrays(wavelengths_nm, counted)
        return self.table.gain_per_cm(wavelengths.ravel(), counted.ravel()).reshape(counted.shape)

    def shares(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`."""
        shape = np.broadcast_shapes(np.shape(wavelengths_nm), np.shape(filling.pairs_per_shell))
        energy = nm_to_ev(np.broadcast_to(wavelengths_nm, shape))[..., None]
        distance = [np.abs(self._energies_ev[name] - energy).min(axis=-1) for name in TRANSITIONS]
        return np.eye(len(TRANSITIONS))[np.argmin(distance, axis=0)]

    def levels(self, pumping: Pumping) -> Array:
        """Those of the table; a fluence is that of the design's own one-photon pump."""
        if self.table.level == "none":
            return np.full(1, np.nan)
        if self.table.level == "pairs_per_shell":
            reached = max(1, int((self.table.levels <= pumping.most_pairs).sum()))
            key = "emitter.spectrum"
            return np.array([pumping.created_for(level, key=key) for level in self.table.levels[:reached]])
        if pumping.pump.photons != 1 or pumping.pump.quasi_cw:
            rule = "a table over fluence_uj_per_cm2 needs a one-photon pump with a short pulse; or give pairs_per_shell"
            raise InputError(rule, key="emitter.spectrum.level", value=self.table.level)
        return created_pairs(pumping.emitter, pumping.pump, self.table.levels)


@register
def _measured(emitter: Emitter) -> GainModel | None:
    return None if emitter.spectrum is None else Measured(emitter, emitter.spectrum)
