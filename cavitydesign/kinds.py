"""The plain types that signatures all over the package name; each stands here once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
"""A numpy array; shape, unit and dtype stand in the docstring of what takes or gives it."""

Function = Callable[[Array], Array]
"""From an array to one of the same shape."""

Window = tuple[float, float]
"""Wavelengths (shortest, longest) in vacuum, nm."""
