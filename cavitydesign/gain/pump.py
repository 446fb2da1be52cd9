"""From a pump fluence or intensity to pairs per shell, and back.

One photon:   ``⟨N⟩ = σ F / hν``
Two photons:  ``⟨N⟩ = σ₂ (F / hν)² s / τ``,  s/τ = ∫f² dt of the normalised pulse of full width τ

F is the fluence at the shells (incident × transmission). σ₂ counts pairs: ``σ₂ φ²`` pairs per shell and
second at photon flux φ. (A σ₂ that counts absorbed photons, as in Xu and Webb, J. Opt. Soc. Am. B 13, 481
(1996), is twice that.) Saturation of the pump's absorption is left out: far above the edge a shell absorbs
alike whatever it holds.

Units: µJ/cm² (one photon), mJ/cm² (two photons), kW/cm² (pulses from 0.1 ns up, taken as square: I = F/τ).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.rates import Filling, poisson, square_pulse
from cavitydesign.kinds import Array
from cavitydesign.units import GOEPPERT_MAYER_CM4_S, NM_PER_CM, nm_to_ev, photon_energy_uj

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter, Pump


PULSE_SHAPE_FACTOR = {
    "gaussian": math.sqrt(2.0 * math.log(2.0) / math.pi),  # 0.664283
    "sech2": 2.0 * math.acosh(math.sqrt(2.0)) / 3.0,  # 0.587582
    "square": 1.0,
}
"""``s = τ ∫f² dt`` of a pulse f with ∫f dt = 1 and full width at half maximum τ."""

HIGHEST_PAIRS = 12.0
"""Mean occupation up to which a threshold is looked for; the two shells of the model hold eight pairs."""

LEATHERDALE_NM = 350.0
WAVELENGTH_TOLERANCE_NM = 10.0
"""How far the pump may lie from the wavelength of a cross-section before that number counts as another one's."""


LEAST_ENERGY_EV = 0.05


def exciton_energy_ev(emitter: Emitter) -> float:
    """Energy of the X emission at the film's temperature, eV.

    Varshni: ``E(T) = E(T0) - α T²/(T + β) + α T0²/(T0 + β)``, Physica 34, 149 (1967). Confinement does not
    depend on temperature, so the constants of CdSe serve (Valerini et al., Phys. Rev. B 71, 235409 (2005)).
    """
    alpha, beta = emitter.varshni_alpha_ev_per_k, emitter.varshni_beta_k

    def shift(temperature_k: float) -> float:
        return alpha * temperature_k**2 / (temperature_k + beta)

    energy = emitter.exciton_ev - shift(emitter.temperature_k) + shift(emitter.exciton_temperature_k)
    if energy < LEAST_ENERGY_EV:
        rule = f"the exciton would have {energy:.3g} eV at {emitter.temperature_k:g} K"
        raise InputError(rule, key="emitter.varshni_alpha_ev_per_k", value=alpha)
    return energy


def threshold_unit(pump: Pump) -> str:
    """Unit that pump levels are in: ``kW/cm2``, ``uJ/cm2`` or ``mJ/cm2``."""
    if pump.quasi_cw:
        return "kW/cm2"
    return "uJ/cm2" if pump.photons == 1 else "mJ/cm2"


def leatherdale_cross_section_cm2(radius_nm: float) -> float:
    """Absorption cross-section of a CdSe dot at 350 nm, ``C = 5.501e5 a³`` with C in cm² and a in cm.

    Leatherdale et al., J. Phys. Chem. B 106, 7619 (2002). For a shell: its outer radius, as if it were all
    CdSe.
    """
    return 5.501e5 * (radius_nm / NM_PER_CM) ** 3


def cross_section_cm2(emitter: Emitter, pump: Pump) -> float:
    """One-photon absorption cross-section of a shell at the pump wavelength, cm².

    The pump's own; else the emitter's, if it was given within 10 nm of the pump's wavelength (a literature
    fallback must be asked for: ``absorption_cross_section_cm2 = "leatherdale"``, 350 nm). Otherwise an
    InputError: it is not guessed.
    """
    if pump.absorption_cross_section_cm2 is not None:
        return pump.absorption_cross_section_cm2
    given = emitter.absorption_cross_section_cm2
    at_nm = LEATHERDALE_NM if isinstance(given, str) else emitter.absorption_wavelength_nm
    if abs(pump.wavelength_nm - at_nm) > WAVELENGTH_TOLERANCE_NM:
        rule = f"the emitter's cross-section holds at {at_nm:g} nm; give pump.absorption_cross_section_cm2"
        raise InputError(rule, key="pump.wavelength_nm", value=pump.wavelength_nm)
    return leatherdale_cross_section_cm2(0.5 * emitter.shell_diameter_nm) if isinstance(given, str) else given


def created_pairs(emitter: Emitter, pump: Pump, level: Any) -> Any:
    """Pairs that a pulse of incident fluence or intensity ``level`` (see :func:`threshold_unit`) creates per shell."""
    reaching = pump.transmission * fluence_uj_per_cm2(pump, level) / photon_energy_uj(pump.wavelength_nm)
    _pumps(emitter, pump)
    if pump.photons == 1:
        return cross_section_cm2(emitter, pump) * reaching
    return _two_photon_cm4(emitter, pump) * reaching**2


def pump_level(emitter: Emitter, pump: Pump, created_per_shell: Any) -> Any:
    """Incident fluence or intensity that creates ``created_per_shell`` pairs; inverse of :func:`created_pairs`."""
    _pumps(emitter, pump)
    if pump.photons == 1:
        photons = created_per_shell / cross_section_cm2(emitter, pump)
    else:
        photons = np.sqrt(created_per_shell / _two_photon_cm4(emitter, pump))
    fluence = photons * photon_energy_uj(pump.wavelength_nm) / pump.transmission
    if pump.quasi_cw:
        return fluence / pump.pulse_ns  # a square pulse: µJ / ns = kW
    return fluence if pump.photons == 1 else 1e-3 * fluence


def fluence_uj_per_cm2(pump: Pump, level: Any) -> Any:
    """Fluence of one pulse in µJ/cm², of a level in the pump's own unit; 66.9 kW/cm² for 7 ns is 468 µJ/cm²."""
    if pump.quasi_cw:
        return level * pump.pulse_ns  # kW × ns = µJ
    return level if pump.photons == 1 else 1e3 * level


def pumped_occupation(emitter: Emitter, pump: Pump, created_per_shell: Any) -> tuple[Array, Array]:
    """Occupation classes S + (9,) and ⟨N⟩ (S) when ``created_per_shell`` (S) pairs have been created by one pulse.

    A short pulse leaves the Poisson distribution of mean ``created_per_shell``; during a long one pairs
    recombine.
    """
    created = np.asarray(created_per_shell, dtype=float)
    if pump.quasi_cw:
        return square_pulse(emitter, created, pump.pulse_ns)
    return poisson(created), created


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
class Pumping:
    """An emitter under a pump, and what its pulses leave."""

    emitter: Emitter
    pump: Pump
    occupation: Occupation

    @classmethod
    def of(cls, emitter: Emitter, pump: Pump, *, cache: Occupations | None = None) -> Pumping:
        """``cache`` keeps occupations for further calls with the same kinetics."""
        known: Occupations = {} if cache is None else cache
        slow = (emitter.exciton_lifetime_ns, emitter.biexciton_auger_ns, pump.pulse_ns)
        key = slow if pump.quasi_cw else (0.0,)
        if key not in known:
            known[key] = Occupation.of(emitter, pump)
        return cls(emitter, pump, known[key])

    def at(self, created_per_shell: Array) -> Filling:
        """What pulses leave that create so many pairs per shell, (M,); NaN where that is NaN."""
        known = np.isfinite(created_per_shell)
        classes, pairs = self.occupation(np.where(known, created_per_shell, 0.0))
        level = pump_level(self.emitter, self.pump, created_per_shell)
        return Filling(
            np.where(known[:, None], classes, np.nan),
            np.where(known, pairs, np.nan),
            fluence_uj_per_cm2(self.pump, level),
        )

    @property
    def most_pairs(self) -> float:
        """⟨N⟩ up to which :meth:`created_for` has an answer."""
        return math.inf if self.occupation.exact is not None else float(self.occupation.mean[-1])

    def created_for(self, pairs_per_shell: float, *, key: str = "emitter.threshold_pairs") -> float:
        """Pairs that a pulse must create to leave ``pairs_per_shell``; ``key`` is what asks for them."""
        if self.occupation.exact is not None:
            return pairs_per_shell
        if pairs_per_shell > self.most_pairs:
            rule = f"the pump's pulse leaves at most {self.most_pairs:.3g} pairs here"
            raise InputError(rule, key=key, value=pairs_per_shell)

        def excess(created: float) -> float:
            return float(self.occupation(np.array([created]))[1][0]) - pairs_per_shell

        from scipy.optimize import root_scalar

        top = float(self.occupation.created[-1])
        if excess(top) <= 0.0:  # by rounding: what is asked for is what the strongest pulse leaves
            return top
        return float(root_scalar(excess, bracket=(0.0, top), xtol=1e-13).root)


def _two_photon_cm4(emitter: Emitter, pump: Pump) -> float:
    """``σ₂ s / τ`` in cm⁴: pairs per (photon/cm²)²."""
    shape = 1.0 if pump.quasi_cw else PULSE_SHAPE_FACTOR[pump.pulse_shape]
    return emitter.two_photon_cross_section_gm * GOEPPERT_MAYER_CM4_S * shape / (pump.pulse_ns * 1e-9)


def _pumps(emitter: Emitter, pump: Pump) -> None:
    energy = pump.photons * nm_to_ev(pump.wavelength_nm)
    if energy <= exciton_energy_ev(emitter):
        rule = f"{pump.photons} photon(s) carry {energy:.3f} eV; the exciton needs {exciton_energy_ev(emitter):.3f} eV"
        raise InputError(rule, key="pump.wavelength_nm", value=pump.wavelength_nm)
