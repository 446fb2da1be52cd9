"""FDTD with Meep in its own process: an independent witness for every design, and finite arrays."""

from cavitydesign.solvers.fdtd.export import export_jobs
from cavitydesign.solvers.fdtd.fields import mode_field
from cavitydesign.solvers.fdtd.lasing import lasing_curve
from cavitydesign.solvers.fdtd.losses import array_losses
from cavitydesign.solvers.fdtd.solver import Fdtd

__all__ = ["Fdtd", "array_losses", "export_jobs", "lasing_curve", "mode_field"]
