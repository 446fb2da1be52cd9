"""FDTD with Meep in its own process: an independent witness for every design, and finite arrays."""

from __future__ import annotations

import importlib
from typing import Any

from cavitydesign.solvers.fdtd.settings import Fdtd

_HOME = {
    "array_losses": "losses", "export_jobs": "export", "lasing_curve": "lasing", "mode_field": "fields",
}  # fmt: skip
__all__ = ["Fdtd", *sorted(_HOME)]  # noqa: PLE0604 (strings, from the table above)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
