"""What a cavity is: frozen, validated values; no numerics beyond closed forms, no I/O outside ``load``."""

from cavitydesign.geometry.base import SourcedNumber, Value
from cavitydesign.geometry.design import Design, Device
from cavitydesign.geometry.emitter import Emitter, Pump
from cavitydesign.geometry.families.free import FreeStack
from cavitydesign.geometry.families.nanopillar import NanopillarArray
from cavitydesign.geometry.families.pcsel import Pcsel
from cavitydesign.geometry.families.two_mirror import TwoMirror
from cavitydesign.geometry.load import design_from_dict, load_design
from cavitydesign.geometry.material import AIR, Cauchy, Constant, Film, Library, Material, Sellmeier, Table
from cavitydesign.geometry.pattern import Circle, Pattern, Polygon, Rectangle
from cavitydesign.geometry.stack import Inclusion, Lattice, Layer, Stack

__all__ = [
    "AIR", "Cauchy", "Circle", "Constant", "Design", "Device", "Emitter", "Film", "FreeStack", "Inclusion", "Lattice",
    "Layer", "Library", "Material", "NanopillarArray", "Pattern", "Pcsel", "Polygon", "Pump", "Rectangle", "Sellmeier",
    "SourcedNumber", "Stack", "Table", "TwoMirror", "Value", "design_from_dict", "load_design",
]  # fmt: skip
