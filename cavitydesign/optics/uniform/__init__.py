"""Multilayers: one plane wave. Fields, spectra, guided waves and poles."""
