"""The free form: any stack of layers, spelt out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Layer, check_layers


class FreeStack(Design):
    """A design given as its layers, superstrate first."""

    family: Literal["stack"] = "stack"
    layers: tuple[Layer, ...] = Field(min_length=2)

    def build_layers(self) -> tuple[Layer, ...]:
        """The layers as given."""
        check_layers(self.layers, self.lattice)
        return self.layers
