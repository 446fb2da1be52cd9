"""Figures for a talk: units on every axis, colours that colour-blind people tell apart, nothing drawn twice.

Every function returns a matplotlib Figure and shows nothing; :func:`save` writes it whole or not at all. A
leaf: nothing inside the package imports it, and matplotlib is imported nowhere else.
"""

from cavitydesign.report.plots.cavity import has_mirrors, mirror_spectrum, mode_chart, mode_picture
from cavitydesign.report.plots.compared import published_against_predicted
from cavitydesign.report.plots.fdtd import field_picture, save_animation, verification_picture
from cavitydesign.report.plots.gain import gain_picture
from cavitydesign.report.plots.maps import period_map
from cavitydesign.report.plots.mask import mask_preview
from cavitydesign.report.plots.modes import (
    factorisation_convergence,
    fano_spectrum,
    far_field_polarization,
    near_field,
)
from cavitydesign.report.plots.style import save

__all__ = [
    "factorisation_convergence",
    "fano_spectrum",
    "far_field_polarization",
    "field_picture",
    "gain_picture",
    "has_mirrors",
    "mask_preview",
    "mirror_spectrum",
    "mode_chart",
    "mode_picture",
    "near_field",
    "period_map",
    "published_against_predicted",
    "save",
    "save_animation",
    "verification_picture",
]
