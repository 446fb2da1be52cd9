"""FDTD with Meep in its own process: an independent witness for every design, and finite arrays."""

from cavitydesign.solvers.fdtd.settings import Fdtd
from cavitydesign.solvers.fdtd.solver import run

VERSION = "1"
"""Raised when numbers change; part of a stored result's address."""

__all__ = ["VERSION", "Fdtd", "run"]
