"""What a cavity is: frozen, validated values; no numerics beyond closed forms, no I/O outside ``load``."""

from cavitydesign.geometry.base import SourcedNumber, Value
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.device import Device
from cavitydesign.geometry.emitter import ConstantEmitter, Emitter, MeasuredEmitter, Pump
from cavitydesign.geometry.families.free import FreeStack
from cavitydesign.geometry.families.grating import GratingLaser
from cavitydesign.geometry.families.nanopillar import NanopillarArray
from cavitydesign.geometry.families.pcsel import Pcsel
from cavitydesign.geometry.families.two_mirror import TwoMirror
from cavitydesign.geometry.lattice import (
    HexagonalLattice,
    Lattice,
    LineLattice,
    NoLattice,
    ObliqueLattice,
    RectangularLattice,
    SquareLattice,
)
from cavitydesign.geometry.load import design_from_dict, load_design
from cavitydesign.geometry.material import AIR, Cauchy, Constant, Film, Library, Material, Sellmeier, Table
from cavitydesign.geometry.pattern import Bar, Circle, Ellipse, Pattern, Polygon, Rectangle
from cavitydesign.geometry.stack import Inclusion, Layer, Stack

__all__ = [
    "AIR", "Bar", "Cauchy", "Circle", "Constant", "ConstantEmitter", "Design", "Device", "Ellipse", "Emitter", "Film",
    "FreeStack", "GratingLaser", "HexagonalLattice", "Inclusion", "Lattice", "Layer", "Library", "LineLattice",
    "Material", "MeasuredEmitter", "NanopillarArray", "NoLattice", "ObliqueLattice", "Pattern", "Pcsel", "Polygon",
    "Pump", "Rectangle", "RectangularLattice", "Sellmeier", "SourcedNumber", "SquareLattice", "Stack", "Table",
    "TwoMirror", "Value", "design_from_dict", "load_design",
]  # fmt: skip
