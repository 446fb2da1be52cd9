"""Side walls that lean, and shapes etched with them: a staircase of layers, each as wide as the wall at its middle.

::

    ┌────┐      ──┐    ┌──   sizes are those at the top, which is what the mask draws
    │    │ ─┐     └┐  ┌┘
   ┌┘    └┐ │h     └┐┌┘      a pillar widens downwards by 2 h tan(sidewall_deg), a hole narrows by as much
   │      │─┘
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cavitydesign.geometry.base import LATER, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.lattice import Lattice
from cavitydesign.geometry.pattern import Pattern
from cavitydesign.geometry.stack import check_patterns

_Lean = Annotated[
    float,
    LATER,
    Field(
        ge=-60.0,
        le=60.0,
        strict=True,
        description="lean of the walls from the vertical, in degrees; positive where what stands widens downwards",
    ),
]
_Steps = Annotated[
    int,
    LATER,
    Field(
        ge=1,
        le=100,
        strict=True,
        description="layers by which walls that lean are drawn, over their whole height",
    ),
]


class Walled(Value):
    """What is etched, with the lean of its walls; the error of the staircase falls as 1/``sidewall_steps``²."""

    sidewall_deg: _Lean = 0.0
    sidewall_steps: _Steps = 8


@dataclass(frozen=True, slots=True)
class Etched:
    """Shapes in each cell, and what their walls make of them below.

    Attributes:
        shapes: at the top.
        height_nm: from there to the foot.
        walls: what says how they lean.
        key: of that in the design.
        name: what a person calls several of the shapes, as in "pillars".
        lattice: on which they stand.
        holes: whether the shapes are what the etch takes, and so narrow where what stands widens.
    """

    shapes: tuple[Pattern, ...]
    height_nm: float
    walls: Walled
    key: str
    name: str
    lattice: Lattice
    holes: bool = False

    @property
    def lean(self) -> float:
        """Angle of the walls from the vertical, radians."""
        return math.radians(self.walls.sidewall_deg)

    @property
    def told(self) -> dict[str, float]:
        """What a manifest says of the walls beside the shapes at their top; nothing where these are upright."""
        return {f"{self.key}.sidewall_deg": self.walls.sidewall_deg} if self.lean else {}

    def check(self) -> None:
        """Raises RuleBroken where walls that lean leave nothing of a shape at the foot, or it meets another there."""
        if not self.lean:
            return
        foot, key = f"at the foot, {self.height_nm:g} nm below the top", f"{self.key}.sidewall_deg"
        try:
            shapes = self.at(self.height_nm)
        except RuleBroken as broken:
            raise RuleBroken(f"{broken.rule} {foot}", key=key, value=self.walls.sidewall_deg) from None
        try:
            check_patterns(shapes, self.lattice, "", self.name)
        except RuleBroken as broken:
            rule = f"{foot} one of the {self.name} {broken.rule}"
            raise RuleBroken(rule, key=key, value=self.walls.sidewall_deg) from None

    def at(self, depth_nm: float, *, coat_nm: float = 0.0) -> tuple[Pattern, ...]:
        """The shapes that deep below the top, with a coat so thick on the walls; above the top where < 0."""
        wider = depth_nm * math.tan(self.lean) + coat_nm / math.cos(self.lean)
        return tuple(shape.grown(-wider if self.holes else wider) for shape in self.shapes)

    def steps(self, top_nm: float, bottom_nm: float) -> Sequence[tuple[float, float]]:
        """Thickness and middle depth of the layers that stand for the walls between two depths; one if upright."""
        thick = bottom_nm - top_nm
        share = min(1.0, thick / self.height_nm)
        count = max(1, math.ceil(self.walls.sidewall_steps * share - 1e-9)) if self.lean else 1
        return [(thick / count, top_nm + thick * (step + 0.5) / count) for step in range(count)]
