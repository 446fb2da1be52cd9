"""cavitydesign: from the geometry of a quantum-shell laser cavity to its resonances, thresholds and mask, and back.

The public names are listed here once and imported when first used, so that ``import cavitydesign`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

from cavitydesign._version import __version__

_HOME = {
    "cavitydesign.errors": ("CavityError", "InputError", "SolverError", "Status", "Unavailable"),
    "cavitydesign.geometry": (
        "Bar", "Circle", "Constant", "Design", "Device", "Ellipse", "Emitter", "Film", "FreeStack", "GratingLaser",
        "HexagonalLattice",
        "Inclusion", "Lattice", "Layer", "Library", "LineLattice", "NanopillarArray", "NoLattice", "ObliqueLattice",
        "Pcsel", "Polygon", "Pump", "Rectangle", "RectangularLattice", "SquareLattice", "Stack", "TwoMirror",
        "design_from_dict", "load_design",
    ),
    "cavitydesign.gain": ("GainModel", "Line", "Lines", "couple"),
    "cavitydesign.optics.uniform.slab": ("slab_field", "slab_modes"),
    "cavitydesign.study.calibrate": ("calibrate",),
    "cavitydesign.study.peaks": ("read_peaks",),
    "cavitydesign.study.predict": ("lasing_lines", "predict"),
    "cavitydesign.study.sensitivity": ("sensitivities",),
    "cavitydesign.study.verify": ("verify",),
    "cavitydesign.study.sweep": ("Axis", "following", "sweep"),
    "cavitydesign.solvers": (
        "Ask", "Bragg", "Fdtd", "Finite", "Mode", "Modes", "Poles", "Solution", "Solver", "solve",
    ),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", *sorted(_WHERE)]  # noqa: PLE0604 (strings, from the table above)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'cavitydesign' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
