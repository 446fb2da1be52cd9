"""The finite device that a design is made into: its size, and what it has in its middle."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from cavitydesign.geometry.base import Count, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.lattice import Lattice


def _listed(content: Any) -> Any:
    return (content,) if isinstance(content, int) and not isinstance(content, bool) else content


_COUNT = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
Periods = Annotated[
    tuple[Count, ...],
    Field(min_length=1, max_length=2),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [_COUNT, {"type": "array", "items": _COUNT, "minItems": 1, "maxItems": 2}]}),
]
"""How many periods along each lattice vector: ``[17, 17]``, or of a line lattice ``200``."""


class Device(Value):
    """A finite array. Left out of a design: an infinite one.

    Attributes:
        periods: how many, along each lattice vector: ``[17, 17]``; of a line lattice ``200`` (or ``[200]``).
        shift_periods: of a line lattice: its two halves stand apart by this many periods more. A guided wave is then
            shifted by a quarter of its wavelength, and lasing is moved into the middle of the stop band, at 0.5 for
            a grating of first order (two periods a wavelength) and at 0.25 for one of second order (one period).
            Masks draw it; no solver computes it yet: FDTD refuses it, the others say that they leave it out.
    """

    periods: Periods
    shift_periods: Annotated[float, Field(ge=0.0, lt=1.0, strict=True)] = 0.0

    @property
    def counts(self) -> tuple[int, int]:
        """Periods along both lattice vectors; of a line lattice 1 along the lines."""
        return (self.periods[0], self.periods[1] if len(self.periods) == 2 else 1)

    def check_on(self, lattice: Lattice) -> None:
        """Refuse what a lattice cannot have. Raises RuleBroken."""
        if lattice.dimensions == 0:
            raise RuleBroken("a finite array needs a [lattice]", key="device")
        check_periods(self.periods, lattice)
        if self.shift_periods and (lattice.dimensions != 1 or self.periods[0] < 4):
            rule = "is for a line lattice of 4 periods at least"
            raise RuleBroken(rule, key="device.shift_periods", value=self.shift_periods)


def check_periods(periods: tuple[int, ...], lattice: Lattice, *, key: str = "device.periods") -> None:
    """Refuse a number of periods for each direction but those of the lattice. Raises RuleBroken."""
    if len(periods) != lattice.dimensions:
        rule = "one number of periods" if lattice.dimensions == 1 else "two numbers, as in [17, 17]"
        raise RuleBroken(f"a {lattice.kind} lattice takes {rule}", key=key, value=list(periods))
