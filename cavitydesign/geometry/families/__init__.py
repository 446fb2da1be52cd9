"""The families of designs, one file each. A module put here is found; a class defined anywhere else counts as well."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from cavitydesign.geometry.design import FAMILIES, Design


def families() -> Mapping[str, type[Design]]:
    """Every family, by the name that a file gives as ``family``, in alphabetical order."""
    _import_all()
    return dict(sorted(FAMILIES.items()))


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
        importlib.import_module(module.name)
