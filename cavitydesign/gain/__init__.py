"""Modes + emitter + pump → lasing lines. Importing it costs numpy and nothing else."""

from cavitydesign.gain.constant import Constant
from cavitydesign.gain.coupler import couple, required_gain_per_cm
from cavitydesign.gain.lines import CavityContribution, Contribution, InputErrors, Line, Lines, Threshold
from cavitydesign.gain.measured import Measured
from cavitydesign.gain.model import TRANSITIONS, GainModel, model_of, register
from cavitydesign.gain.pump import Pumping, created_pairs, fluence_uj_per_cm2, pump_level, threshold_unit
from cavitydesign.gain.rates import Filling
from cavitydesign.gain.shells import Shells, gain_spectrum, model_window_nm, transition_energies_ev
from cavitydesign.gain.threshold import LineStatus

__all__ = [
    "TRANSITIONS", "CavityContribution", "Constant", "Contribution", "Filling", "GainModel", "InputErrors", "Line",
    "LineStatus", "Lines", "Measured", "Pumping", "Shells", "Threshold", "couple", "created_pairs",
    "fluence_uj_per_cm2", "gain_spectrum", "model_of", "model_window_nm", "pump_level", "register",
    "required_gain_per_cm", "threshold_unit", "transition_energies_ev",
]  # fmt: skip
