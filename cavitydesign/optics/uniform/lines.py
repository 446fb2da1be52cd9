"""Absorption lines in the search region of a uniform stack.

At a pole of ε(k0) the wavelength in the material shrinks to nothing: standing waves of ever higher order crowd there,
and no count of zeros is finite. A square around each pole is left out of the search::

    Im k0 ─┬──────────────┬───┬──────┐      in it |n| k0 d > 3π: more than three half waves across the thickest
           │      A       │ B │   D  │      layer of the material. The rest is cut into rectangles.
           │              ├───┤      │
           │              │ ■ │      │
           │              ├───┤      │
           │              │ C │      │
           └──────────────┴───┴──────┘ Re k0
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.uniform.zeros import Region

_PHASE = 3.0 * math.pi
_LARGEST = 0.5  # of the pole's depth: the real axis is always searched


@dataclass(frozen=True, slots=True)
class Line:
    """A pole of a material's permittivity, and half the side of the square around it that is not searched, 1/nm."""

    source: str
    k0: complex
    reach: float

    @property
    def told(self) -> str:
        """What is not searched, in words."""
        wavelength = units.wavelength_nm_of(self.k0)
        return (
            f"within an absorption line of {self.source} standing waves crowd without end; those within "
            f"{wavelength * self.reach / self.k0.real:.2g} nm of {wavelength:.1f} nm "
            f"at Q ≈ {units.quality_factor(self.k0):.3g} are not listed"
        )


def lines_within(numeric: NumericStack, window_nm: Window, q_min: float) -> list[Line]:
    """The lines of the stack's materials in a window and up to the losses that are searched."""
    found = []
    for number, material in enumerate(numeric.materials):
        thickness = max(
            (layer.thickness_nm for layer in numeric.layers if layer.material == number), default=0.0
        )
        for pole in material.lines(0.98 * window_nm[0], 1.02 * window_nm[1]):
            depth = abs(pole.imag)
            if depth > 0.6 * pole.real / q_min:
                continue
            probe = 0.1 * depth  # close enough for the pole to outweigh all else
            strength = probe * float(np.abs(material.eps(np.array(pole + 1j * probe))))
            reach = strength * (pole.real * thickness / _PHASE) ** 2
            found.append(Line(material.source, pole, float(np.clip(reach, 0.02 * depth, _LARGEST * depth))))
    return found


def without(region: Region, lines: list[Line]) -> Iterator[Region]:
    """A rectangle cut into those that leave out the squares around the lines."""
    if not lines:
        yield region
        return
    left, right, low, high = region
    at, reach = lines[0].k0, lines[0].reach
    a, b = max(left, at.real - reach), min(right, at.real + reach)
    c, d = max(low, at.imag - reach), min(high, at.imag + reach)
    if a >= b or c >= d:
        yield from without(region, lines[1:])
        return
    for part in ((left, a, low, high), (b, right, low, high), (a, b, low, c), (a, b, d, high)):
        if part[0] < part[1] and part[2] < part[3]:
            yield from without(part, lines[1:])
