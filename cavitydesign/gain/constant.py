"""The plainest gain: proportional to the pairs above transparency, and the same at every wavelength of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cavitydesign.gain.model import GainModel, register
from cavitydesign.gain.rates import Filling
from cavitydesign.kinds import Array

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter


@dataclass
class Constant(GainModel):
    """``g = slope (⟨N⟩ - N₀)`` within the window, so a mode lases at ``⟨N⟩ = N₀ + g_th / slope``.

    Attributes:
        slope_per_cm: gain per pair and shell, cm⁻¹.
        transparency_pairs: N₀, where the film neither absorbs nor amplifies.
        window_nm: wavelengths (shorter, longer) at which it holds.
    """

    slope_per_cm: float
    transparency_pairs: float
    window_nm: tuple[float, float]

    def gain_per_cm(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`."""
        gain = self.slope_per_cm * (filling.pairs_per_shell - self.transparency_pairs)
        return gain + np.zeros(np.shape(wavelengths_nm))


@register
def _constant(emitter: Emitter) -> GainModel | None:
    names = ("slope_per_cm", "transparency_pairs", "gain_window_nm")
    return Constant(*(getattr(emitter, name) for name in names)) if emitter.tag == "constant" else None
