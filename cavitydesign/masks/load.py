"""The edge where a mask file becomes a validated mask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError, told_together
from cavitydesign.geometry import design_from_dict, load_design
from cavitydesign.geometry.base import strip_sources, validated
from cavitydesign.geometry.load import read_toml
from cavitydesign.masks.spec import MaskSpec


def load_mask(path: str | Path) -> MaskSpec:
    """Read a mask from a TOML file; the paths of its designs are relative to it.

    Raises:
        InputError: naming file, key, rule and value.
    """
    path = Path(path)
    try:
        return mask_from_dict(read_toml(path), base_dir=path.parent)
    except InputError as error:
        raise error.in_file(path) from None


def mask_from_dict(content: Mapping[str, Any], *, base_dir: str | Path = ".") -> MaskSpec:
    """Build a mask from plain content (parsed TOML or JSON), as :func:`load_mask` does from a file."""
    if not isinstance(content, Mapping):
        raise InputError("a mask is a table of keys", value=content)
    if "family" in content:
        rule = "this is a design, not a mask; a mask draws designs, under [[fields]] or [[apertures]]"
        raise InputError(rule)
    found, faults = dict(content), {}
    for name in ("fields", "apertures"):
        entries = content.get(name)
        if isinstance(entries, list | tuple):
            numbered = ((f"{name}.{index}.design", entry) for index, entry in enumerate(entries))
            found[name] = [_with_design(entry, Path(base_dir), key, faults) for key, entry in numbered]
    plain, _ = strip_sources(found, faults=faults)
    return validated(MaskSpec, plain, faults=faults)


def _with_design(entry: Any, base_dir: Path, key: str, faults: dict[str, InputError]) -> Any:
    """An entry with the design that it names or spells out; what is wrong with that is added to ``faults``."""
    if not isinstance(entry, Mapping) or "design" not in entry:
        return entry
    design = entry["design"]
    try:
        if isinstance(design, str):
            design = load_design(_sane_path(design, base_dir, key))
        elif isinstance(design, Mapping):
            design = design_from_dict(design, base_dir=base_dir)
    except InputError as error:
        inside = isinstance(design, Mapping)  # the key of another file stays as it is
        faults[key] = told_together(
            f.under(key) if inside and f.file is None else f for f in error.complaints
        )
    return {**entry, "design": design}


def _sane_path(text: str, base_dir: Path, key: str) -> Path:
    """A mask names designs beside it or one folder up; never an absolute path, never farther away."""
    path = Path(text)
    rule = "must be a relative path to a .toml file beside the mask or in the folder above it"
    if "\0" in text or path.is_absolute() or path.suffix != ".toml" or path.as_posix().startswith("~"):
        raise InputError(rule, key=key, value=text)
    try:
        home = (base_dir / "..").resolve()
        inside = (base_dir / path).resolve().is_relative_to(home)
    except (OSError, RuntimeError):
        inside = False
    if not inside:
        raise InputError(rule, key=key, value=text)
    return base_dir / path
