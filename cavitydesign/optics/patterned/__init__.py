"""Patterned stacks: plane waves, symmetry, factorisation, admittances; search, proof, derivatives, fields, spectra."""
