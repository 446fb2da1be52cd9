"""Stack → modes. A solver is one file: its settings, which answer an Ask. They are found, not listed."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

_HOME = {
    "Ask": "ask", "Solver": "ask", "checked_window": "ask", "option": "ask", "solve": "ask",
    "Mode": "solution", "Modes": "solution", "Solution": "solution",
    "Bragg": "bragg", "Fdtd": "fdtd", "Finite": "finite", "Poles": "poles",
}  # fmt: skip
__all__ = sorted([*_HOME, "known"])  # noqa: PLE0605 (strings, from the table above)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def known() -> dict[str, Any]:
    """The settings classes of all solvers of this package, by name, in the order of their names."""
    from cavitydesign.solvers.ask import Solver

    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    ours = [kind for kind in Solver.__subclasses__() if kind.__module__.startswith(f"{__name__}.")]
    return {kind.name: kind for kind in sorted(ours, key=lambda kind: kind.name)}
