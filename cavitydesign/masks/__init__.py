"""Masks: a pure function of a :class:`MaskSpec` to bytes, with the rules of fabrication checked and the file read back.

::

    spec = load_mask("layouts/masks/pcsel.toml")
    layout = build(spec)
    for violation in check(layout): ...
    manifest = write(layout, "out/pcsel.gds")
    assert read_back(manifest.path, layout).ok
"""

from cavitydesign.masks.build import build
from cavitydesign.masks.check import Violation, check
from cavitydesign.masks.gds import Manifest, write, write_named
from cavitydesign.masks.layout import Layout, Outline, outlines
from cavitydesign.masks.load import load_mask, mask_from_dict
from cavitydesign.masks.readback import ReadBack, read_back
from cavitydesign.masks.spec import MaskSpec

__all__ = [
    "Layout", "Manifest", "MaskSpec", "Outline", "ReadBack", "Violation", "build", "check", "load_mask",
    "mask_from_dict", "outlines", "read_back", "write", "write_named",
]  # fmt: skip
