"""A measured gain spectrum: linear interpolation within the table, and nothing outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.model import TRANSITIONS, GainModel, register
from cavitydesign.gain.pump import Pumping, created_pairs
from cavitydesign.gain.rates import Filling
from cavitydesign.gain.shells import transition_energies_ev
from cavitydesign.kinds import Array
from cavitydesign.units import nm_to_ev

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter, GainTable


class Measured(GainModel):
    """The table of an emitter as a gain model: linear in wavelength and level; its transition is the nearest line.

    ``window_nm`` is what all levels of the table cover.
    """

    def __init__(self, emitter: Emitter, table: GainTable):
        rows, wavelength, gain = (
            np.asarray(column) for column in (table.levels, table.wavelengths_nm, table.gain_per_cm)
        )
        self.table, self.table_levels = table, np.unique(rows)
        self._curves = [(wavelength[rows == level], gain[rows == level]) for level in self.table_levels]
        shorter, longer = max(at[0] for at, _ in self._curves), min(at[-1] for at, _ in self._curves)
        if shorter >= longer:
            raise InputError("the levels of a gain table must share a range of wavelengths", file=table.table)
        self.window_nm = float(shorter), float(longer)
        self._energies_ev = transition_energies_ev(emitter)

    def gain_per_cm(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`. Outside the table: InputError."""
        levels, counts = self.table_levels, self.table.level
        if counts == "none":
            counted = np.full(np.shape(filling.pairs_per_shell), levels[0])
        else:
            counted = getattr(filling, counts)
        near = 1e-5 * levels[-1]  # what a filling between the nodes of a long pulse may be off by
        at_edge = np.clip(counted, levels[0], levels[-1])
        counted = np.where(np.abs(counted - at_edge) <= near, at_edge, counted)
        wavelengths, counted = np.broadcast_arrays(wavelengths_nm, counted)
        self._check("wavelength_nm", wavelengths, self.window_nm)
        self._check(counts, counted, (levels[0], levels[-1]))
        on_levels = np.stack([np.interp(wavelengths.ravel(), *curve) for curve in self._curves], axis=-1)
        pairs = zip(counted.ravel(), on_levels, strict=True)
        return np.reshape([np.interp(level, levels, row) for level, row in pairs], counted.shape)

    def _check(self, key: str, asked: Array, covered: tuple[float, float]) -> None:
        outside = asked[(asked < covered[0]) | (asked > covered[1])]
        if outside.size:
            rule = f"the gain table covers {covered[0]:g}-{covered[1]:g} and is not extrapolated"
            raise InputError(rule, file=self.table.table, key=key, value=float(outside[0]))

    def shares(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`."""
        shape = np.broadcast_shapes(np.shape(wavelengths_nm), np.shape(filling.pairs_per_shell))
        energy = nm_to_ev(np.broadcast_to(wavelengths_nm, shape))[..., None]
        distance = [np.abs(self._energies_ev[name] - energy).min(axis=-1) for name in TRANSITIONS]
        return np.eye(len(TRANSITIONS))[np.argmin(distance, axis=0)]

    def levels(self, pumping: Pumping) -> Array:
        """Those of the table; a fluence is that of the design's own one-photon pump."""
        levels, counts = self.table_levels, self.table.level
        if counts == "none":
            return np.full(1, np.nan)
        if counts == "pairs_per_shell":
            reached = max(1, int((levels <= pumping.most_pairs).sum()))
            return np.array(
                [pumping.created_for(level, key="emitter.spectrum") for level in levels[:reached]]
            )
        if pumping.pump.photons != 1 or pumping.pump.quasi_cw:
            rule = "a table over fluence_uj_per_cm2 needs a one-photon pump with a short pulse; or give pairs_per_shell"
            raise InputError(rule, key="emitter.spectrum.level", value=counts)
        return created_pairs(pumping.emitter, pumping.pump, levels)


@register
def _measured(emitter: Emitter) -> GainModel | None:
    return None if emitter.spectrum is None else Measured(emitter, emitter.spectrum)
