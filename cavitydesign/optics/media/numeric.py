"""A stack made ready for arithmetic: every material a function of complex wavenumber, every thickness a number.

This is what the solvers' array functions take. Two layers share a material only if they also agree on being part
of the gain film, so that the film's index can be changed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.geometry.lattice import Lattice
from cavitydesign.geometry.material import Material
from cavitydesign.geometry.pattern import Pattern, relation
from cavitydesign.geometry.stack import Inclusion, Layer, Stack
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.index import Dispersion, resolve


@dataclass(frozen=True, slots=True)
class NumericInclusion:
    """A shape, the number of its material, and the number of the material that it displaces."""

    pattern: Pattern
    material: int
    host: int


@dataclass(frozen=True, slots=True)
class NumericLayer:
    """A finite layer; ``material`` is the number of its background."""

    thickness_nm: float
    material: int
    inclusions: tuple[NumericInclusion, ...] = ()
    name: str = ""

    def permittivities(self, eps: Array) -> tuple[Any, list[tuple[Any, Any]]]:
        """The background's entry of ``eps`` (materials, ...), and those (inside, displaced) of each inclusion."""
        return eps[self.material], [(eps[item.material], eps[item.host]) for item in self.inclusions]


@dataclass(frozen=True)
class NumericStack:
    """Layers between superstrate and substrate, top to bottom, with numbered materials.

    Attributes:
        lattice: of the unit cell; none for uniform stacks.
        materials: the dispersions, by number.
        gain: for each material whether it is (part of) the gain film.
        superstrate, substrate: numbers of the half-spaces' materials.
        layers: the finite layers, superstrate side first.
        index_shift: complex number added to the index of a material, by its number (0 where absent): what gain,
            heating or a derivative by index does.
    """

    lattice: Lattice
    materials: tuple[Dispersion, ...]
    gain: tuple[bool, ...]
    superstrate: int
    substrate: int
    layers: tuple[NumericLayer, ...]
    index_shift: Mapping[int, complex] = field(default_factory=dict)

    @property
    def is_uniform(self) -> bool:
        """True when no layer has inclusions."""
        return not any(layer.inclusions for layer in self.layers)

    @property
    def thickness_nm(self) -> float:
        """Total thickness of the finite layers."""
        return sum(layer.thickness_nm for layer in self.layers)

    @cached_property
    def _constants(self) -> Array | None:
        """The indices, where none of them disperses."""
        values = [m.constant for m in self.materials]
        if any(value is None for value in values):
            return None
        return np.array(
            [value + self.index_shift.get(i, 0.0) for i, value in enumerate(values) if value is not None],
            dtype=complex,
        )

    @property
    def is_constant(self) -> bool:
        """Whether no material disperses."""
        return self._constants is not None

    def layer_is_constant(self, layer: NumericLayer) -> bool:
        """Whether no material of a layer disperses."""
        numbers = {layer.material, *(n for item in layer.inclusions for n in (item.material, item.host))}
        return all(self.materials[number].constant is not None for number in numbers)

    @cached_property
    def _at_points(self) -> dict[complex, Array]:
        """Indices at single wavenumbers asked for before; a pole is polished with several looks at each."""
        return {}

    def index(self, k0: Array) -> Array:
        """Complex indices at complex vacuum wavenumbers (1/nm): shape (materials, *k0.shape)."""
        k0 = np.asarray(k0, dtype=complex)
        if self._constants is not None:
            if k0.ndim == 0:
                return self._constants
            shape = (len(self._constants), *k0.shape)
            return np.broadcast_to(self._constants.reshape(-1, *[1] * k0.ndim), shape)
        if k0.ndim == 0 and complex(k0) in self._at_points:
            return self._at_points[complex(k0)]
        wavelength = units.complex_wavelength_nm(k0)
        found = np.stack(
            [m.n(wavelength) + self.index_shift.get(i, 0.0) for i, m in enumerate(self.materials)]
        )
        if k0.ndim == 0:
            self._at_points[complex(k0)] = found
        return found

    def eps(self, k0: Array) -> Array:
        """Relative permittivities ``(n + shift)²``: shape (materials, *k0.shape)."""
        return self.index(k0) ** 2

    def eps_slope(self, k0: Array) -> Array:
        """``dε/dk0`` in nm, by central differences of the analytic indices (relative error about 1e-10)."""
        k0 = np.asarray(k0, dtype=complex)
        if self._constants is not None:
            return np.zeros((len(self._constants), *k0.shape), dtype=complex)
        step = 1e-5 * np.abs(k0)
        return (self.eps(k0 + step) - self.eps(k0 - step)) / (2.0 * step)

    def shifted(self, shift: Mapping[int, complex]) -> NumericStack:
        """The same stack with complex numbers added to the indices of some materials."""
        total = dict(self.index_shift)
        for number, value in shift.items():
            total[number] = total.get(number, 0.0) + value
        return replace(self, index_shift=total)

    def with_gain_kappa(self, kappa: complex) -> NumericStack:
        """The same stack with the gain film's index lowered by ``i κ``: power gain ``4πκ/λ``."""
        return self.shifted({number: -1j * kappa for number, is_gain in enumerate(self.gain) if is_gain})

    def index_uncertainty(self, k0: complex) -> Array:
        """``Δn + i Δk`` of each material at a complex wavenumber (1/nm), by its number; 0 for closed forms."""
        wavelength = np.array(units.complex_wavelength_nm(complex(k0)))
        return np.array([complex(m.uncertainty(wavelength)) for m in self.materials])

    def index_uncertainties(self, window_nm: Window) -> dict[str, float]:
        """Largest ``|Δn + i Δk|`` of each tabulated material at the real wavelengths of a window, by its source."""
        wavelengths = np.linspace(*window_nm, 65)
        found = {m.source: float(np.abs(m.uncertainty(wavelengths)).max()) for m in self.materials}
        return {source: value for source, value in found.items() if value > 0.0}


def resolve_stack(stack: Stack, *, window_nm: Window, analytic: bool | None = None) -> NumericStack:
    """Give every material of a stack its complex index for use around ``window_nm``.

    Args:
        analytic: whether tables are their analytic continuations alone, which contour integrals need, rather than
            followed row by row at real wavelengths, as spectra want them. None: for patterned stacks.

    Raises:
        InputError: where the window leaves a material's range.
    """
    numbers: dict[tuple[Material, bool], int] = {}

    def number(item: Layer | Inclusion) -> int:
        assert not isinstance(item.material, str)
        return numbers.setdefault((item.material, item.gain), len(numbers))

    layers = []
    for layer in stack.layers[1:-1]:
        background = number(layer)
        inclusions = _inclusions(
            layer, stack.lattice, background, [number(item) for item in layer.inclusions]
        )
        layers.append(NumericLayer(_thickness(layer), background, inclusions, layer.name))
    if analytic is None:
        analytic = wants_analytic(stack)
    ends = number(stack.layers[0]), number(stack.layers[-1])
    return NumericStack(
        lattice=stack.lattice,
        materials=tuple(resolve(material, window_nm, analytic=analytic) for material, _ in numbers),
        gain=tuple(gain for _, gain in numbers),
        superstrate=ends[0],
        substrate=ends[1],
        layers=tuple(layers),
    )


def wants_analytic(stack: Stack) -> bool:
    """Whether a stack's modes are searched on contours that need analytic indices: those of patterned stacks."""
    return not stack.is_uniform


def _thickness(layer: Layer) -> float:
    if layer.thickness_nm is not None:
        return layer.thickness_nm
    at, material = layer.quarter_wave_nm, layer.material
    assert at is not None
    assert not isinstance(material, str)
    # a window of its own, so that the mirror does not change with the window that is searched
    n = resolve(material, (0.98 * at, 1.02 * at)).n(np.array([at]))
    return at / (4.0 * float(n[0].real))


def _inclusions(
    layer: Layer, lattice: Lattice, background: int, numbers: list[int]
) -> tuple[NumericInclusion, ...]:
    """Each inclusion with what it displaces: the last earlier one that it lies in, else the background."""
    a1, a2 = lattice.vectors_nm
    images = [i * a1 + j * a2 for i in (-1, 0, 1) for j in (-1, 0, 1)]
    outlines = [item.pattern.outline() for item in layer.inclusions]
    found = []
    for index, item in enumerate(layer.inclusions):
        host = background
        for earlier in range(index):
            if any(relation(outlines[index], outlines[earlier] + shift) == "inside" for shift in images):
                host = numbers[earlier]
        found.append(NumericInclusion(item.pattern, numbers[index], host))
    return tuple(found)
