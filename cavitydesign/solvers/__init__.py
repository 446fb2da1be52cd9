"""Stack → Modes. One physics per file; they never import each other."""

from cavitydesign.solvers.base import Bragg, Finite, Modes, Poles, Solution, Status, solve

__all__ = ["Bragg", "Finite", "Modes", "Poles", "Solution", "Status", "solve"]
