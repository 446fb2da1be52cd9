"""The only constants and conversions, and the sign convention that everything else follows.

Fields vary as ``exp(-iωt)``. So absorption is ``Im n > 0``, gain is ``Im n < 0``, a decaying resonance has
``Im k0 < 0`` and ``Q = -Re k0 / (2 Im k0)`` is positive; an amplified one has a negative Q.

Lengths are nm, energies eV, wavenumbers ``k0 = 2π/λ`` 1/nm, gain and loss cm⁻¹ of *power* (not amplitude).
Every function takes a scalar or an array and returns the same shape.
"""

from __future__ import annotations

import math
from typing import Any

PLANCK_J_S = 6.62607015e-34  # exact, SI 2019
LIGHT_M_PER_S = 299_792_458.0  # exact
CHARGE_C = 1.602176634e-19  # exact
BOLTZMANN_EV_PER_K = 8.617333262e-5  # CODATA 2018
HC_EV_NM = PLANCK_J_S * LIGHT_M_PER_S / CHARGE_C * 1e9
"""h c in eV nm: E[eV] = HC_EV_NM / λ[nm]."""

NM_PER_CM = 1e7
GOEPPERT_MAYER_CM4_S = 1e-50
"""1 GM, the unit of a two-photon cross-section."""


def nm_to_ev(wavelength_nm: Any) -> Any:
    """Photon energy in eV, ``E = h c / λ``."""
    return HC_EV_NM / wavelength_nm


def ev_to_nm(energy_ev: Any) -> Any:
    """Vacuum wavelength in nm, ``λ = h c / E``."""
    return HC_EV_NM / energy_ev


def photon_energy_uj(wavelength_nm: Any) -> Any:
    """Energy of one photon in µJ."""
    return nm_to_ev(wavelength_nm) * CHARGE_C * 1e6


def k0_per_nm(wavelength_nm: Any) -> Any:
    """Vacuum wavenumber ``k0 = 2π/λ`` in 1/nm; a complex wavelength gives the complex wavenumber."""
    return 2.0 * math.pi / wavelength_nm


def complex_wavelength_nm(k0: Any) -> Any:
    """Complex vacuum wavelength ``2π/k0`` in nm; the inverse of :func:`k0_per_nm`."""
    return 2.0 * math.pi / k0


def wavelength_nm_of(k0: Any) -> Any:
    """Resonance wavelength in nm of a complex wavenumber: ``λ = 2π / Re k0`` (where a spectrum peaks)."""
    return 2.0 * math.pi / k0.real


def quality_factor(k0: Any) -> Any:
    """Quality factor ``Q = -Re k0 / (2 Im k0)``; negative where the mode is amplified."""
    return -k0.real / (2.0 * k0.imag)


def complex_k0_per_nm(wavelength_nm: Any, q: Any) -> Any:
    """Complex wavenumber ``k0 = (2π/λ)(1 - i/2Q)`` of a resonance with wavelength λ (nm) and quality factor Q."""
    return k0_per_nm(wavelength_nm) * (1.0 - 0.5j / q)


def gain_per_cm_from_kappa(kappa: Any, wavelength_nm: Any) -> Any:
    """Power gain in cm⁻¹ of an index ``n - iκ``: ``g = 4πκ/λ``, positive for gain."""
    return 4.0 * math.pi * kappa / wavelength_nm * NM_PER_CM


def kappa_from_gain_per_cm(gain_per_cm: Any, wavelength_nm: Any) -> Any:
    """The κ of an index ``n - iκ`` that amplifies power by ``gain_per_cm``; inverse of the above."""
    return gain_per_cm * wavelength_nm / (4.0 * math.pi * NM_PER_CM)
