"""A measured gain spectrum: linear interpolation within the table, and nothing outside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.kinds import Array

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import GainTable


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
