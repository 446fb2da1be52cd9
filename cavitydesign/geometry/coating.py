"""A film over a relief: what families whose pillars or ridges are coated share.

::

    planarising                  conformal

    ~~~~~~~~~~~~~~~~~~           ┌~~~~┐    ┌~~~~┐
    film  ┌──┐  film             ~┌──┐~    ~┌──┐~   side walls, tops and floor
          │  │                 ~~~│  │~~~~~~│  │~~~ carry ``film.thickness_nm``
    ──────┴──┴──────           ───┴──┴──────┴──┴───
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.material import MaterialRef
from cavitydesign.geometry.pattern import Pattern
from cavitydesign.geometry.stack import FLUSH_NM, Inclusion, Layer, Slab


class Coat(Slab):
    """The gain film, ``thickness_nm`` thick.

    ``planarising``: a flat top, ``thickness_nm`` above the foot of the relief. ``conformal``: that thick on every face.
    """

    coating: Literal["planarising", "conformal"] = "planarising"


@dataclass(frozen=True, slots=True)
class Relief:
    """What stands in each cell and is coated.

    Attributes:
        name: what a person calls several of them, as in "pillars".
        shape: its outline, given its width in nm.
        width_nm: its width without a coat.
        height_nm: its height.
        material: what it is made of.
        gain: whether that is part of the gain film.
        outside: what lies above, and beside it where there is no film.
        apart_nm: how wide it may be before it meets its neighbour.
    """

    name: str
    shape: Callable[[float], Pattern]
    width_nm: float
    height_nm: float
    material: MaterialRef
    outside: MaterialRef
    apart_nm: float
    gain: bool = False

    @property
    def _core(self) -> Inclusion:
        return Inclusion(pattern=self.shape(self.width_nm), material=self.material, gain=self.gain)

    def bare(self, height_nm: float, *, name: str = "bare ") -> Layer:
        """A part of it without a film."""
        return self._layer(f"{name}{self.name}", height_nm, None, self._core)

    def _layer(self, name: str, height_nm: float, film: Coat | None, *inclusions: Inclusion) -> Layer:
        """A part of the height, with the film or what is outside around the inclusions."""
        around = film.material if film else self.outside
        return Layer(
            name=name, material=around, thickness_nm=height_nm, gain=film is not None, inclusions=inclusions
        )

    def coated(self, coat: Coat) -> list[Layer]:
        """Its layers with the film, top first.

        Raises:
            RuleBroken: about ``film.thickness_nm``, where coats merge or a conformal one is no coat any more.
        """
        return self._planarised(coat) if coat.coating == "planarising" else self._conformal(coat)

    def _planarised(self, coat: Coat) -> list[Layer]:
        height, film = self.height_nm, coat.thickness_nm
        layers = []
        if abs(film - height) <= FLUSH_NM:
            film = height
        if film > height:
            layers.append(self._layer("film", film - height, coat))
        if film < height:
            layers.append(self.bare(height - film))
        return [*layers, self._layer(f"{self.name} in film", min(film, height), coat, self._core)]

    def _conformal(self, coat: Coat) -> list[Layer]:
        height, thick = self.height_nm, coat.thickness_nm
        if self.width_nm + 2.0 * thick > self.apart_nm:
            rule = f"the coats of {self.name} {self.apart_nm:g} nm apart merge; "
            rule += "use coating = planarising, or a thinner film"
            raise RuleBroken(rule, key="film.thickness_nm", value=thick)
        if thick >= height - FLUSH_NM:
            rule = f"a conformal film is thinner than the {self.name} are high, {height:g} nm; "
            raise RuleBroken(rule + "use coating = planarising", key="film.thickness_nm", value=thick)
        around = Inclusion(pattern=self.shape(self.width_nm + 2.0 * thick), material=coat.material, gain=True)
        return [
            self._layer("caps", thick, None, around),
            self._layer(f"coated {self.name}", height - thick, None, around, self._core),
            self._layer("floor film", thick, coat, self._core),
        ]
