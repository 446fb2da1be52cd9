"""Figures for a talk: units on every axis, colours that colour-blind people tell apart, nothing drawn twice.

Every function returns a matplotlib Figure and shows nothing; :func:`save` writes it whole or not at all. A
leaf: nothing inside the package imports it, and matplotlib is imported nowhere else.
"""

from cavitydesign.report.plots.cavity import (
    mirror_alone,
    mirror_spectrum,
    mode_chart,
    mode_picture,
    mode_profile,
)
from cavitydesign.report.plots.compared import published_against_predicted
from cavitydesign.report.plots.gain import gain_map, gain_picture
from cavitydesign.report.plots.maps import period_map
from cavitydesign.report.plots.mask import mask_preview
from cavitydesign.report.plots.section import mode_section
from cavitydesign.report.plots.style import save

__all__ = [
    "gain_map",
    "gain_picture",
    "mask_preview",
    "mirror_alone",
    "mirror_spectrum",
    "mode_chart",
    "mode_picture",
    "mode_profile",
    "mode_section",
    "period_map",
    "published_against_predicted",
    "save",
]
