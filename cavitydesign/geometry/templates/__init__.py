"""Commented files to start from: one of each family, and ``mask``."""

from __future__ import annotations

from importlib import resources

from cavitydesign.errors import InputError


def names() -> tuple[str, ...]:
    """What there is a template of, in alphabetical order."""
    found = (item.name for item in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def text(name: str) -> str:
    """The TOML text of a template.

    Args:
        name: a family, or ``mask``.

    Raises:
        InputError: there is no template of this name.
    """
    if name not in names():
        raise InputError(f"there is no template of this name; there are {', '.join(names())}", value=name)
    return (resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
