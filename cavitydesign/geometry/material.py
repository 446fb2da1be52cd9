"""What a layer is made of. Values only: :mod:`cavitydesign.optics.media.index` turns them into complex indices.

Six ways to say it, told apart by their keys::

    { n = 1.85 }  or  { n = 3.87, k = 0.016 }              constant; n - iκ with κ > 0 is gain: k = -κ
    { library = "main/SiO2/Malitson" }                      shelf/book/page of refractiveindex.info (offline copy)
    { sellmeier = { b = [0.696, 0.408, 0.897], c_um2 = [0.00468, 0.0135, 97.9] } }
    { cauchy = { a = 1.48, b_um2 = 0.0043 } }
    { table = "measured.csv" }                              wavelengths, n and k as instruments write them
    { film = { fraction = 0.6, inorganic = …, ligand = … } }  effective medium of nanocrystals in ligand
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from cavitydesign.geometry.base import Fraction, Length, Real, Value
from cavitydesign.geometry.complaint import RuleBroken


def _ordered(window_nm: tuple[float, float]) -> tuple[float, float]:
    if not window_nm[0] < window_nm[1]:
        raise RuleBroken("must be [shorter, longer] wavelength in nm", value=window_nm)
    return window_nm


WavelengthRange = Annotated[tuple[Length, Length], AfterValidator(_ordered)]
RealIndex = Annotated[float, Field(gt=0.0, le=100.0, strict=True)]
Extinction = Annotated[float, Field(ge=-100.0, le=100.0, strict=True)]


class Constant(Value):
    """A constant complex index ``n + ik``; ``k > 0`` absorbs, ``k < 0`` amplifies."""

    n: RealIndex
    k: Extinction = 0.0


class Library(Value):
    """An entry of the refractiveindex.info database by ``shelf/book/page``."""

    library: Annotated[str, Field(pattern=r"^[^/]+(/[^/]+){2,}$", max_length=200)]


class SellmeierTerms(Value):
    """``n² = a + Σ b_i λ² / (λ² - c_i)`` with λ in µm."""

    a: Real = 1.0
    b: tuple[Real, ...] = Field(min_length=1)
    c_um2: tuple[Real, ...] = Field(min_length=1)
    range_nm: WavelengthRange | None = None

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.b) != len(self.c_um2):
            raise RuleBroken(f"must have as many terms as b, {len(self.b)}", key="c_um2", value=self.c_um2)
        return self


class Sellmeier(Value):
    """Sellmeier dispersion; outside ``range_nm`` an error."""

    sellmeier: SellmeierTerms


class CauchyTerms(Value):
    """``n = a + b/λ² + c/λ⁴`` with λ in µm, and a constant ``k``."""

    a: RealIndex
    b_um2: Real = 0.0
    c_um4: Real = 0.0
    k: Extinction = 0.0
    range_nm: WavelengthRange | None = None


class Cauchy(Value):
    """Cauchy dispersion; outside ``range_nm`` an error."""

    cauchy: CauchyTerms


class Table(Value):
    """Measured n and k at rising wavelengths. The file is read when the design is loaded: its numbers are the value.

    ``k_wavelengths_nm`` are the wavelengths of k where they are not those of n.
    """

    table: str
    wavelengths_nm: tuple[Length, ...] = Field(min_length=4)
    n: tuple[RealIndex, ...]
    k: tuple[Extinction, ...]
    k_wavelengths_nm: tuple[Length, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_file(cls, content: Any) -> Any:
        if isinstance(content, dict) and "table" not in content:
            rule = "this key is required and is missing: a CSV file with columns wavelength_nm, n and, if absorbing, k"
            raise RuleBroken(rule, key="table")
        return content

    @model_validator(mode="after")
    def _columns(self) -> Self:
        of_k = "wavelengths_nm" if self.k_wavelengths_nm is None else "k_wavelengths_nm"
        for name, axis in (("n", "wavelengths_nm"), ("k", of_k)):
            wavelengths, column = getattr(self, axis), getattr(self, name)
            if len(column) != len(wavelengths):
                rule = f"must have as many rows as {axis}, {len(wavelengths)}"
                raise RuleBroken(rule, key=name, value=len(column))
            for before, after in pairwise(wavelengths):
                if after <= before:
                    raise RuleBroken(f"must rise from row to row; after {before:g}", key=axis, value=after)
        return self


def _branch(content: Any) -> str:
    """Which form is meant, by its telling key; so that an error speaks of that form alone."""
    if isinstance(content, str):
        return "<name>"
    keys = content if isinstance(content, dict) else getattr(type(content), "model_fields", {})
    forms = ("library", "sellmeier", "cauchy", "table", "film")
    numbers = "<table>" if "wavelengths_nm" in keys else "<n>"
    return next((f"<{form}>" for form in forms if form in keys), numbers)


_SimpleForm = (
    Annotated[Constant, Tag("<n>")]
    | Annotated[Library, Tag("<library>")]
    | Annotated[Sellmeier, Tag("<sellmeier>")]
    | Annotated[Cauchy, Tag("<cauchy>")]
    | Annotated[Table, Tag("<table>")]
)
SimpleMaterial = Annotated[_SimpleForm, Discriminator(_branch)]


class FilmTerms(Value):
    """A film of inorganic nanocrystals (volume fraction ``fraction``) in ligand.

    ``rule`` is Bruggeman's (symmetric; Ann. Phys. 416, 636 (1935)) or Maxwell Garnett's (spheres in a host;
    Phil. Trans. R. Soc. A 203, 385 (1904)).
    """

    fraction: Fraction
    inorganic: SimpleMaterial
    ligand: SimpleMaterial
    rule: Literal["bruggeman", "maxwell_garnett"] = "bruggeman"


class Film(Value):
    """Effective-medium quantum-shell film."""

    film: FilmTerms


Material = Constant | Library | Sellmeier | Cauchy | Table | Film
_AnyForm = _SimpleForm | Annotated[Film, Tag("<film>")]
MaterialField = Annotated[_AnyForm, Discriminator(_branch)]
"""The type of a field that holds a material."""
MaterialRef = Annotated[_AnyForm | Annotated[str, Field(min_length=1), Tag("<name>")], Discriminator(_branch)]
"""The type of a field that holds a material or the name of one in the design's ``[materials]``."""

AIR = Constant(n=1.0)
