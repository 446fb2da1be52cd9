"""Modes + emitter + pump → lasing lines. Importing it costs numpy and nothing else."""

from cavitydesign.gain.constant import Constant
from cavitydesign.gain.coupler import couple, required_gain_per_cm
from cavitydesign.gain.lines import CavityContribution, Contribution, InputErrors, Line, Lines, Threshold
from cavitydesign.gain.measured import Measured
from cavitydesign.gain.model import TRANSITIONS, GainModel, model_of, register
from cavitydesign.gain.pump import (
    Pumping,
    created_pairs,
    cross_section_cm2,
    exciton_energy_ev,
    fluence_uj_per_cm2,
    leatherdale_cross_section_cm2,
    pump_level,
    threshold_unit,
)
from cavitydesign.gain.rates import Filling, decay_rates_per_ns, poisson
from cavitydesign.gain.shells import (
    gain_spectrum,
    model_window_nm,
    transition_energies_ev,
)
from cavitydesign.gain.threshold import LineStatus, Thresholds, thresholds

__all__ = [
    "TRANSITIONS",
    "CavityContribution",
    "Constant",
    "Contribution",
    "Filling",
    "GainModel",
    "InputErrors",
    "Line",
    "LineStatus",
    "Lines",
    "Measured",
    "Pumping",
    "Threshold",
    "Thresholds",
    "couple",
    "created_pairs",
    "cross_section_cm2",
    "decay_rates_per_ns",
    "exciton_energy_ev",
    "fluence_uj_per_cm2",
    "gain_spectrum",
    "leatherdale_cross_section_cm2",
    "model_of",
    "model_window_nm",
    "poisson",
    "pump_level",
    "register",
    "required_gain_per_cm",
    "threshold_unit",
    "thresholds",
    "transition_energies_ev",
]  # fmt: skip
