"""FDTD with Meep in its own process: an independent witness for every design, and finite arrays."""

from cavitydesign.solvers.fdtd.settings import Fdtd

__all__ = ["Fdtd"]
