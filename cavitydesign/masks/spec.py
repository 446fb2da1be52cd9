"""What a mask IS: a frozen, validated value, read from a TOML file; no geometry is computed here.

::

    name = "pcsel"                       # also the name of the files
    title = "QS PCSEL"
    database_unit_nm = 0.1               # every coordinate becomes a whole number of these

    [chip]
    size_um = [6000, 4000]

    [layers]                             # name = [layer, datatype]
    pattern = [1, 0]

    [[fields]]                           # one array per period (columns) and per value and dose (rows)
    name = "periods"
    design = "../pcsel.toml"             # or the keys of a design as a table
    periods_nm = "320:460:10"            # a number, a list, or start:stop:step with both ends
    side_um = 200                        # or periods = [n1, n2]; left out: [device] of the design
    vary = { key = "grating.duty_cycle", values = [0.65, 0.70, 0.75] }
    doses = [1.0]

Lengths of what is drawn large are µm, of what is drawn small nm; the name says which. The chip's middle is (0, 0).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator, model_validator

from cavitydesign.errors import InputError
from cavitydesign.files import parse_range
from cavitydesign.geometry import Design
from cavitydesign.geometry.base import NonNegative, Positive, Value
from cavitydesign.geometry.complaint import RuleBroken, all_hold
from cavitydesign.geometry.device import Periods, check_periods

MAX_COORDINATE = 2**30
"""Largest coordinate in database units: GDSII stores 32-bit integers, and differences must fit as well."""
MAX_DEVICES = 5000
_MAX_VALUES = 1000


def _refuse(broken: bool, rule: str) -> None:
    if broken:
        raise ValueError(rule)


def _rules(*pairs: tuple[bool, str]) -> list[Callable[[], None]]:
    """Checks for :func:`all_hold`: (whether it is broken, the rule)."""
    return [partial(_refuse, *pair) for pair in pairs]


def expand_numbers(content: Any) -> Any:
    """``320``, ``[315, 335]`` or ``"320:460:10"`` as a tuple of numbers; a range has both its ends.

    Decimal arithmetic: ``"0.1:0.3:0.1"`` has three values and not two.
    """
    _refuse(isinstance(content, bool), "must be a number, a list of numbers or 'start:stop:step'")
    if not isinstance(content, str):
        return (content,) if isinstance(content, int | float) else content
    try:
        found = parse_range(content, key="", most=_MAX_VALUES)
    except InputError as error:
        raise ValueError(f"a range is written 'start:stop:step'; {error.message}") from None
    _refuse(":" not in content or found[-1] < found[0], "a range is written 'start:stop:step', and rises")
    return found


def _matching(pattern: str, rule: str) -> BeforeValidator:
    def checked(text: Any) -> Any:
        if isinstance(text, str) and not re.fullmatch(pattern, text):
            raise ValueError(rule)
        return text

    return BeforeValidator(checked)


_NAME_RULE = "a name has 1 to 64 letters, digits, - and _ (it becomes a file's or a cell's name)"
Name = Annotated[str, _matching("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", _NAME_RULE)]
_TEXT_RULE = "only printable ASCII letters can be drawn (write um for µm)"
Text = Annotated[str, Field(max_length=120), _matching("[ -~]*", _TEXT_RULE)]
Numbers = Annotated[
    tuple[Positive, ...], BeforeValidator(expand_numbers), Field(min_length=1, max_length=_MAX_VALUES)
]
Micrometres = Annotated[float, Field(gt=0.0, le=200_000.0)]
GdsNumber = Annotated[int, Field(ge=0, le=32767)]
LayerNumber = tuple[GdsNumber, GdsNumber]


def _check_distinct(values: tuple[float, ...], key: str) -> None:
    _refuse(len(set(values)) != len(values), f"{key}: each value once")


def _check_placeholders(label: str, *known: str) -> None:
    unknown = sorted(set(re.findall(r"\{([^{}]*)\}", label)) - set(known))
    there = ", ".join(sorted(known))
    _refuse(bool(unknown), f"label: no placeholder {{{''.join(unknown[:1])}}}; there are {there}")


class Chip(Value):
    """The die: its size, the margin that nothing but the frame enters, and the frame that shows where to cleave."""

    size_um: tuple[Micrometres, Micrometres] = (5000.0, 5000.0)
    margin_um: NonNegative = 150.0
    frame_width_um: NonNegative = 20.0
    cleave_marks: bool = True

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        _refuse(self.frame_width_um > self.margin_um, "frame_width_um must not exceed margin_um")
        no_room = 2.0 * self.margin_um >= min(self.size_um)
        _refuse(no_room, "margin_um leaves no room on a chip of this size")
        return self


class Layers(Value):
    """(layer, datatype) of each role. Doses take the datatypes that follow ``pattern``'s."""

    pattern: LayerNumber = (1, 0)
    label: LayerNumber = (2, 0)
    marks: LayerNumber = (3, 0)
    spacer: LayerNumber = (4, 0)
    film: LayerNumber = (5, 0)
    frame: LayerNumber = (10, 0)


class Rules(Value):
    """What the fabrication can do; :func:`cavitydesign.masks.check` applies them."""

    min_feature_nm: NonNegative = 60.0
    min_gap_nm: NonNegative = 60.0
    writing_field_um: Positive = 500.0
    max_position_error_nm: Positive = 1.0
    clearance_um: NonNegative = 2.0


class Labels(Value):
    """Height of the letters (stroke: one eighth of it) and the distance from what they name."""

    size_um: Annotated[float, Field(ge=1.0, le=1000.0)] = 20.0
    title_size_um: Annotated[float, Field(ge=1.0, le=2000.0)] = 80.0
    distance_um: NonNegative = 10.0


class Marks(Value):
    """A cross in each corner, the lower left one with an extra square so that a chip cannot be mounted turned."""

    cross_um: Micrometres = 120.0
    width_um: Micrometres = 6.0
    inset_um: NonNegative = 60.0

    @model_validator(mode="after")
    def _slender(self) -> Self:
        _refuse(self.width_um > 0.25 * self.cross_um, "width_um must not exceed a quarter of cross_um")
        return self


class Vary(Value):
    """A second number of the design that changes from row to row, by its dotted key."""

    key: Annotated[str, Field(min_length=1)]
    values: Numbers


class FieldSpec(Value):
    """Arrays of one design: a column per period, a row per value of ``vary`` and per dose.

    ``tone``: ``feature`` draws what the design calls its feature (pillars; holes), ``inverse`` all else in the field.
    ``bias_nm`` moves each edge of the feature outwards (a diameter grows by twice this), to undo what the process
    takes. ``boundary`` is for hexagonal lattices: a ``parallelogram`` of n1 x n2 cells along a1 and a2 (one array
    reference), or a ``rectangle`` (two: the even and the odd rows). Lines are ``length_um`` long, or ``side_um``.
    """

    name: Name
    design: SerializeAsAny[Design]
    design_layer: Annotated[int, Field(ge=0)] | None = None
    periods_nm: Numbers | None = None
    side_um: Micrometres | None = None
    periods: Periods | None = None
    length_um: Micrometres | None = None
    vary: Vary | None = None
    doses: Numbers = (1.0,)
    tone: Literal["feature", "inverse"] = "feature"
    bias_nm: Annotated[float, Field(ge=-10_000.0, le=10_000.0)] = 0.0
    boundary: Literal["parallelogram", "rectangle"] = "parallelogram"
    gap_um: NonNegative = 60.0
    label: Text = "{period} nm"
    wavelengths_nm: Numbers | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        lattice, columns = self.design.lattice, len(self.periods_nm or (1.0,))
        sized, counted, told = self.side_um is not None, self.periods is not None, self.wavelengths_nm
        rule = "an array needs a design with a [lattice]; a two-mirror cavity goes under [[apertures]]"
        endless = not sized and not counted and self.design.device is None
        count = f"wavelengths_nm has one number per period: {columns}, not {len(told or ())}"
        all_hold(
            *_rules(
                (not lattice.dimensions, f"design: {rule}"),
                (sized and counted, "give side_um or periods, not both"),
                (endless, "give side_um or periods; the design has no [device]"),
                (told is not None and len(told) != columns, count),
                ("{wavelength}" in self.label and told is None, "label: {wavelength} needs wavelengths_nm"),
                ("{value}" in self.label and self.vary is None, "label: {value} needs vary"),
            ),
            self._check_vary,
            self._check_lines,
            partial(_check_distinct, self.periods_nm or (), "periods_nm"),
            partial(_check_distinct, self.doses, "doses"),
            partial(_check_distinct, self.vary.values if self.vary else (), "vary.values"),
            partial(_check_placeholders, self.label, "period", "value", "dose", "wavelength", "periods"),
        )
        return self

    def _check_vary(self) -> None:
        key = self.vary.key if self.vary else ""
        if key.startswith("lattice."):
            raise RuleBroken("periods are varied by periods_nm", key="vary.key", value=key)
        try:
            if key:
                self.design.check_path(key)
        except InputError as error:
            raise RuleBroken(error.message, key="vary.key", value=key) from None

    def _check_lines(self) -> None:
        lattice = self.design.lattice
        if self.periods is not None and lattice.dimensions:
            check_periods(self.periods, lattice, key="periods")
        if lattice.dimensions == 1 and self.length_um is None and self.side_um is None:
            raise RuleBroken("lines need their length, or a side_um", key="length_um")
        if lattice.dimensions != 1 and self.length_um is not None:
            raise RuleBroken("is for a line lattice", key="length_um", value=self.length_um)

    @property
    def devices(self) -> int:
        """How many arrays these are."""
        return len(self.periods_nm or (1,)) * len(self.vary.values if self.vary else (1,)) * len(self.doses)

    @property
    def own_period_nm(self) -> float:
        """The period of the design itself: along a1."""
        return self.design.lattice.periods_nm[0]


class ApertureSpec(Value):
    """Spacer rings of a two-mirror cavity: a column per inner diameter.

    Each has the ring in ``vents`` arcs (gaps of ``vent_um`` let air and solvent out when the mirrors are closed), a
    window for the drop-cast film that ends ``film_margin_um`` inside the ring, and four crosses for the second mirror.
    """

    name: Name
    design: SerializeAsAny[Design]
    diameters_um: Numbers
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    ring_width_um: Micrometres = 60.0
    vents: Annotated[int, Field(ge=2, le=24)] = 4
    vent_um: Micrometres = 20.0
    film_margin_um: NonNegative = 10.0
    gap_um: NonNegative = 150.0
    label: Text = "D {diameter} um"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        smallest, family = min(self.diameters_um), self.design.family
        rule = f"spacer rings are for a cavity between two mirrors, not for a {family}"
        vents = f"vents take more than half of the ring of {smallest:g} um; use fewer or narrower ones"
        no_film = f"film_margin_um leaves no film in the aperture of {smallest:g} um"
        all_hold(
            *_rules(
                (not self.design.gaps_nm(), f"design: {rule}"),
                (max(self.diameters_um) > 200_000.0, "diameters_um: at most 200000"),
                (2.0 * self.film_margin_um >= smallest, no_film),
                (self.vents * self.vent_um >= 0.5 * math.pi * smallest, vents),
            ),
            partial(_check_distinct, self.diameters_um, "diameters_um"),
            partial(_check_placeholders, self.label, "diameter", "spacer", "film"),
        )
        return self

    @property
    def devices(self) -> int:
        """How many rings these are."""
        return len(self.diameters_um) * self.copies


class WitnessSpec(Value):
    """Gratings of lines for the electron microscope: one per width, lines and gaps alike."""

    widths_nm: Numbers
    length_um: Micrometres = 40.0
    lines: Annotated[int, Field(ge=1, le=10_000)] = 25
    layer: Literal["pattern", "spacer", "film", "marks"] = "pattern"


class WindowSpec(Value):
    """Open rectangles: to measure a film's thickness at its edge, or a deposition by its neighbour."""

    label: Text
    size_um: tuple[Micrometres, Micrometres]
    count: Annotated[int, Field(ge=1, le=100)] = 1
    layer: Literal["pattern", "spacer", "film", "marks"] = "film"


class MaskSpec(Value):
    """Everything that decides the bytes of a mask."""

    name: Name
    title: Text = ""
    database_unit_nm: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    circle_vertices: Annotated[int, Field(ge=8, le=196, multiple_of=4)] = 64
    chip: Chip = Chip()
    layers: Layers = Layers()
    rules: Rules = Rules()
    labels: Labels = Labels()
    marks: Marks | None = Marks()
    scale_bar_um: Micrometres | None = 100.0
    fields: tuple[FieldSpec, ...] = ()
    apertures: tuple[ApertureSpec, ...] = ()
    witness: WitnessSpec | None = None
    windows: tuple[WindowSpec, ...] = ()

    @field_validator("database_unit_nm")
    @classmethod
    def _divides_a_micrometre(cls, unit: float) -> float:
        ratio = 1000.0 / unit
        uneven = ratio > 1e6 or abs(ratio - round(ratio)) > 1e-6
        _refuse(uneven, "must divide 1000 nm, and be at least 0.001")
        return unit

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        items = (*self.fields, *self.apertures)
        names = {item.name.upper().replace("-", "_") for item in items}
        reach = max(self.chip.size_um) * 1000.0 / self.database_unit_nm
        rule = "database_unit_nm: too fine for a chip of this size (GDSII has 32-bit coordinates)"
        most = f"more than {MAX_DEVICES} devices; use fewer periods, values or doses"
        all_hold(
            *_rules(
                (not items, "a mask needs [[fields]] or [[apertures]]"),
                (len(names) != len(items), "fields and apertures need different names"),
                (reach > MAX_COORDINATE, rule),
                (sum(item.devices for item in items) > MAX_DEVICES, most),
            ),
            self._check_layers,
        )
        return self

    def _check_layers(self) -> None:
        used: dict[LayerNumber, str] = {}
        for role, number in self.layers:
            first = used.setdefault(number, role)
            _refuse(first != role, f"layers.{role}: {number} is also {first}")
        for index, dose in enumerate(self.doses[1:], 2):
            number = self.dose_layer(dose)
            rule = f"dose {index} needs datatype {number[1]}, which is taken"
            _refuse(number in used or number[1] > 32767, f"layers.pattern: {rule}")

    def units(self, length_um: float) -> int:
        """A length in database units."""
        return round(length_um * 1000.0 / self.database_unit_nm)

    @property
    def doses(self) -> tuple[float, ...]:
        """Every dose factor, ascending; the n-th is written with datatype ``layers.pattern[1] + n``."""
        return tuple(sorted({dose for field in self.fields for dose in field.doses})) or (1.0,)

    def dose_layer(self, dose: float) -> LayerNumber:
        """(layer, datatype) of the patterns of one dose."""
        return self.layers.pattern[0], self.layers.pattern[1] + self.doses.index(dose)
