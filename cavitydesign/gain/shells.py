"""Gain spectrum of a film of quantum shells: state-resolved, with transitions X, XX and MX.

A shell with N electron-hole pairs has ``min(N, 2)`` of its two 1S channels and ``min(N - 2, 6)`` of its six
1P channels occupied. An occupied channel emits on the step N → N-1, an empty one absorbs on N → N+1, both
weighted by its strength (1S: 1, 1P: ``p_strength``)::

    g(E) = G Σ_N P_N { Σ_k s_k n_k(N) L(E - E_k(N)) - Σ_k s_k [d_k - n_k(N)] L(E - E_k(N+1) - S) }

    E_1S(N) = E_X + Δ(N),   E_1P(N) = E_1S(N) + p,   Δ(1) = 0,   Δ(N) = Δ_XX + (N - 2) δ,   S: Stokes shift

with one Gaussian L of unit peak for all lines and G the peak gain of one inverted 1S channel. Restricted to
1S this is the counting of Klimov et al., Nature 447, 441 (2007): the ground state absorbs at X in two
channels, one pair emits at X in one and absorbs at XX in one, two pairs emit at XX in two. It takes electron
and hole as spin-paired (no dark exciton). ``X`` is the step 0 ↔ 1 of 1S, ``XX`` is 1 ↔ 2 of 1S, ``MX`` all
the rest. Eight pairs fill both shells; further pairs go to shells that the model leaves out, and count as
spectators. Left out as well: band-gap renormalisation at very high density, and whatever absorbs above
:func:`model_window_nm`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.model import TRANSITIONS, GainModel, model_of, register
from cavitydesign.gain.pump import LEAST_ENERGY_EV, exciton_energy_ev
from cavitydesign.gain.rates import STATES, Filling, poisson
from cavitydesign.kinds import Array
from cavitydesign.units import BOLTZMANN_EV_PER_K, HC_EV_NM, NM_PER_CM

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter


ROOM_TEMPERATURE_K = 293.0
_S_CHANNELS, _P_CHANNELS = 2, 6
_LEAST_WIDTH_EV = 1e-6
_SIGMA_PER_FWHM = 1.0 / math.sqrt(8.0 * math.log(2.0))


class Shells(GainModel):
    """The modelled lines of an emitter, as a gain model."""

    def __init__(self, emitter: Emitter):
        self.emitter = emitter
        self.window_nm = model_window_nm(emitter)
        self.given_pairs = emitter.threshold_pairs
        self._known: dict[bytes, tuple[Array, Array]] = {}

    def gain_per_cm(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`."""
        by_class = self._by_class(wavelengths_nm)[0]
        return np.einsum("...n,...n->...", by_class, filling.classes)

    def shares(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """See :class:`GainModel`."""
        emission = self._by_class(wavelengths_nm)[1]
        emitted = np.einsum("...nt,...n->...t", emission, filling.classes)
        total = emitted.sum(axis=-1, keepdims=True)
        return emitted / np.where(total > 0.0, total, 1.0)

    def _by_class(self, wavelengths_nm: Array) -> tuple[Array, Array]:
        """Gain W + (9,) and emission W + (9, 3) of each class; a search asks for the same wavelengths many times."""
        key = wavelengths_nm.tobytes()
        if key not in self._known:
            emission, absorption = channel_gain_per_cm(self.emitter, wavelengths_nm.ravel())
            self._known[key] = (emission - absorption).sum(axis=-1), emission
        gain, emission = self._known[key]
        shape = wavelengths_nm.shape
        return gain.reshape(*shape, *gain.shape[1:]), emission.reshape(*shape, *emission.shape[1:])


@register
def _modelled(emitter: Emitter) -> GainModel | None:
    return Shells(emitter) if emitter.tag != "constant" and emitter.spectrum is None else None


def gain_spectrum(emitter: Emitter, wavelengths_nm: Any, pairs_per_shell: Any) -> Array:
    """Material gain in cm⁻¹ of power at mean occupation ⟨N⟩ with Poisson statistics (an instantaneous pump pulse).

    ``wavelengths_nm`` has shape (W,), ``pairs_per_shell`` any shape S; gives S + (W,).
    Uses the modelled lines, also when the emitter carries a measured spectrum; constant gain is drawn without end.
    """
    pairs = np.asarray(pairs_per_shell, dtype=float)[..., None]
    filling = Filling(poisson(pairs), pairs, np.full(pairs.shape, np.nan))
    model = model_of(emitter) if emitter.tag == "constant" else Shells(emitter)
    return model.gain_per_cm(np.atleast_1d(np.asarray(wavelengths_nm, dtype=float)), filling)


def homogeneous_fwhm_ev(emitter: Emitter, *, temperature_k: float | None = None) -> float:
    """Phonon broadening, full width in eV: ``σ T + Γ_LO / (exp(E_LO / k T) - 1)`` (Valerini et al., eq. for Γ(T))."""
    temperature = emitter.temperature_k if temperature_k is None else temperature_k
    factor = math.exp(-1e-3 * emitter.lo_phonon_mev / (BOLTZMANN_EV_PER_K * temperature))  # 0 when very cold
    phonons = factor / (1.0 - factor)
    return (
        1e-6 * emitter.acoustic_broadening_uev_per_k * temperature
        + 1e-3 * emitter.lo_broadening_mev * phonons
    )


def line_fwhm_ev(emitter: Emitter, *, temperature_k: float | None = None) -> float:
    """Full width of a line in eV: inhomogeneous and homogeneous width, both taken as Gaussian, so added in squares."""
    homogeneous = homogeneous_fwhm_ev(emitter, temperature_k=temperature_k)
    width = math.hypot(1e-3 * emitter.inhomogeneous_fwhm_mev, homogeneous)
    if width < _LEAST_WIDTH_EV:
        rule = f"lines would be narrower than {_LEAST_WIDTH_EV:g} eV; give emitter.inhomogeneous_fwhm_mev"
        raise InputError(rule, key="emitter", value=width)
    return width


def stokes_shift_ev(emitter: Emitter) -> float:
    """How far each absorption line lies above its emission line, eV.

    Given by the user, or else what detailed balance within a shell asks of a Gaussian line (McCumber, Phys.
    Rev. 136, A954 (1964)): emission/absorption = ``exp((ε - E)/kT)`` for all E only if their centres differ
    by ``s²/kT``, s being the standard deviation of the homogeneous line. The inhomogeneous spread moves both
    centres alike.
    """
    if emitter.stokes_shift_mev is not None:
        return 1e-3 * emitter.stokes_shift_mev
    deviation = _SIGMA_PER_FWHM * homogeneous_fwhm_ev(emitter)
    return deviation**2 / (BOLTZMANN_EV_PER_K * emitter.temperature_k)


def shell_density_per_cm3(emitter: Emitter) -> float:
    """Shells per cm³ of film: volume fraction over the volume of a shell, ``6 f / (π d³)``."""
    return emitter.volume_fraction * 6.0 / (math.pi * (emitter.shell_diameter_nm / NM_PER_CM) ** 3)


def peak_gain_per_cm(emitter: Emitter) -> float:
    """Gain at the centre of the 1S line with both channels inverted, ``2 G``, cm⁻¹, at the film's temperature.

    ``emitter.peak_gain_per_cm``, or else ``density × band_edge_cross_section_cm2``: absorption of the ground
    state and gain of the filled 1S shell are equal and opposite. Both inputs hold at 293 K; the area of the
    line, that is the oscillator strength, is what temperature leaves alone.
    """
    at_room = emitter.peak_gain_per_cm
    if at_room is None:
        at_room = shell_density_per_cm3(emitter) * emitter.band_edge_cross_section_cm2
    return at_room * line_fwhm_ev(emitter, temperature_k=ROOM_TEMPERATURE_K) / line_fwhm_ev(emitter)


def transition_energies_ev(emitter: Emitter) -> dict[str, Array]:
    """Emission energies in eV at the film's temperature: X and XX (one each), MX (1S then 1P, 3 to 8 pairs: twelve).

    None where gain is constant.
    """
    if emitter.tag == "constant":
        return {}
    s, p = _emission_energies_ev(emitter)
    return {"X": s[1:2], "XX": s[2:3], "MX": np.concatenate([s[3:], p[3:]])}


def model_window_nm(emitter: Emitter) -> tuple[float, float]:
    """Wavelengths (shorter, longer) in nm between which the model says something.

    Red end: four standard deviations below the lowest line, where neither gain nor absorption is left. Blue
    end: one full width above the highest 1P line; beyond it shells absorb that the model leaves out.
    """
    s, p = _emission_energies_ev(emitter)
    width = line_fwhm_ev(emitter)
    lowest, highest = float(s[1:].min()), float(max(p[1:].max(), s[1:].max())) + stokes_shift_ev(emitter)
    red = max(lowest - 4.0 * _SIGMA_PER_FWHM * width, LEAST_ENERGY_EV)
    return HC_EV_NM / (highest + width), HC_EV_NM / red


def channel_gain_per_cm(emitter: Emitter, wavelengths_nm: Any) -> tuple[Array, Array]:
    """Emission and absorption in cm⁻¹ of a film whose shells are all in one occupation class.

    Both arrays have shape (W, 9 classes, 3 transitions) and are ≥ 0. The gain of any distribution is their
    difference contracted with it.
    """
    energy = HC_EV_NM / np.atleast_1d(np.asarray(wavelengths_nm, dtype=float))
    s, p = _emission_energies_ev(emitter)
    stokes, scale = stokes_shift_ev(emitter), 0.5 * peak_gain_per_cm(emitter)
    deviation = _SIGMA_PER_FWHM * line_fwhm_ev(emitter)

    def line(centre: float) -> Array:
        return scale * np.exp(-0.5 * ((energy - centre) / deviation) ** 2)

    emission, absorption = np.zeros((2, energy.size, STATES, len(TRANSITIONS)))
    for state in range(STATES):
        in_s, in_p = min(state, _S_CHANNELS), min(max(state - _S_CHANNELS, 0), _P_CHANNELS)
        if state > 0:
            emission[:, state, min(state, 3) - 1] += in_s * line(s[state])
            emission[:, state, 2] += emitter.p_strength * in_p * line(p[state])
        if state < STATES - 1:
            absorption[:, state, min(state, 2)] += (_S_CHANNELS - in_s) * line(s[state + 1] + stokes)
            absorption[:, state, 2] += emitter.p_strength * (_P_CHANNELS - in_p) * line(p[state + 1] + stokes)
    return emission, absorption


def _emission_energies_ev(emitter: Emitter) -> tuple[Array, Array]:
    """1S and 1P emission energies of states 0 … 8 in eV; index 0 is unused, 1P of states 1 and 2 only absorbs."""
    state = np.arange(STATES)
    repulsion = emitter.biexciton_shift_mev + (state - 2) * emitter.further_shift_mev
    s = exciton_energy_ev(emitter) + 1e-3 * np.where(state >= 2, repulsion, 0.0)
    return s, s + 1e-3 * emitter.p_splitting_mev
