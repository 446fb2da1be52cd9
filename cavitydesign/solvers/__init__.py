"""Stack → Modes. One physics per file; they never import each other."""

from cavitydesign.errors import Status
from cavitydesign.solvers.base import Bragg, Finite, Modes, Poles, Solution, solve

__all__ = ["Bragg", "Finite", "Modes", "Poles", "Solution", "Status", "solve"]
