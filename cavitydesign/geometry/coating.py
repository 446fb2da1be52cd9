"""A film over a relief: what families whose pillars or ridges are coated share.

::

    planarising                  conformal

    ~~~~~~~~~~~~~~~~~~           ┌~~~~┐    ┌~~~~┐
    film  ┌──┐  film             ~┌──┐~    ~┌──┐~   side walls, tops and floor
          │  │                 ~~~│  │~~~~~~│  │~~~ carry ``film.thickness_nm``
    ──────┴──┴──────           ───┴──┴──────┴──┴───
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.material import MaterialRef
from cavitydesign.geometry.stack import FLUSH_NM, Inclusion, Layer, Slab, meets_its_copies
from cavitydesign.geometry.walls import Etched


class Coat(Slab):
    """The gain film, ``thickness_nm`` thick.

    ``planarising``: a flat top, ``thickness_nm`` above the foot of the relief. ``conformal``: that thick on every face.
    """

    coating: Literal["planarising", "conformal"] = "planarising"


@dataclass(frozen=True, slots=True)
class Relief:
    """What stands in each cell and is coated.

    Attributes:
        etched: its shape, height and walls.
        material: what it is made of.
        gain: whether that is part of the gain film.
        outside: what lies above, and beside it where there is no film.
    """

    etched: Etched
    material: MaterialRef
    outside: MaterialRef
    gain: bool = False

    def bare(self, *, name: str, height_nm: float | None = None) -> list[Layer]:
        """So much of it from the top, or all, without a film."""
        height = self.etched.height_nm if height_nm is None else height_nm
        return self._layers(name, 0.0, height)

    def _layers(
        self, name: str, top_nm: float, bottom_nm: float, film: Coat | None = None, coat: Coat | None = None
    ) -> list[Layer]:
        """What lies between two depths below its top, with a film, or what is outside, around it and its own coat."""
        return [
            Layer(
                name=name,
                material=film.material if film else self.outside,
                thickness_nm=thick,
                gain=film is not None,
                inclusions=(*self._coats(coat, depth), *self._cores(depth)),
            )
            for thick, depth in self.etched.steps(top_nm, bottom_nm)
        ]

    def _cores(self, depth_nm: float) -> list[Inclusion]:
        shapes = self.etched.at(depth_nm) if depth_nm > 0.0 else ()
        return [Inclusion(pattern=shape, material=self.material, gain=self.gain) for shape in shapes]

    def _coats(self, coat: Coat | None, depth_nm: float) -> list[Inclusion]:
        shapes = self.etched.at(depth_nm, coat_nm=coat.thickness_nm) if coat else ()
        return [Inclusion(pattern=shape, material=coat.material, gain=True) for shape in shapes if coat]

    def coated(self, coat: Coat) -> list[Layer]:
        """Its layers with the film, top first.

        Raises:
            RuleBroken: about ``film.thickness_nm``, where coats merge or a conformal one is no coat any more.
        """
        return self._planarised(coat) if coat.coating == "planarising" else self._conformal(coat)

    def _planarised(self, coat: Coat) -> list[Layer]:
        height, film, name = self.etched.height_nm, coat.thickness_nm, self.etched.name
        layers = []
        if abs(film - height) <= FLUSH_NM:
            film = height
        if film > height:
            layers.append(Layer(name="film", material=coat.material, thickness_nm=film - height, gain=True))
        if film < height:
            layers += self.bare(name=f"bare {name}", height_nm=height - film)
        return [*layers, *self._layers(f"{name} in film", max(0.0, height - film), height, film=coat)]

    def _conformal(self, coat: Coat) -> list[Layer]:
        height, thick, name, lattice = (
            self.etched.height_nm, coat.thickness_nm, self.etched.name, self.etched.lattice
        )  # fmt: skip
        lowest = self.etched.at(height - thick, coat_nm=thick) + self.etched.at(-thick, coat_nm=thick)
        if any(meets_its_copies(shape, lattice) for shape in lowest):
            rule = f"the coats of {name} {lattice.nearest_nm:g} nm apart merge; "
            rule += "use coating = planarising, or a thinner film"
            raise RuleBroken(rule, key="film.thickness_nm", value=thick)
        if thick >= height - FLUSH_NM:
            rule = f"a conformal film is thinner than the {name} are high, {height:g} nm; "
            raise RuleBroken(rule + "use coating = planarising", key="film.thickness_nm", value=thick)
        return [
            *self._layers("caps", -thick, 0.0, coat=coat),
            *self._layers(f"coated {name}", 0.0, height - thick, coat=coat),
            *self._layers("floor film", height - thick, height, film=coat),
        ]
