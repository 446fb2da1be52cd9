"""Random patterned and uniform stacks, one for each seed, as a user might write them down.

All lattices, one to six layers, one or two inclusions of every shape, indices from 1.3 to 4, some lossy, some of metal,
layers from 1 nm to 3 µm, windows of 40 to 200 nm; a fifth has an edge of the window on a threshold. Among them are
supercells, cavities behind metal or mirrors, layers equal to the half-space beside them, and wavevectors with the
rounded digits that one types.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cavitydesign import design_from_dict
from cavitydesign.geometry.design import Design

_METALS = ({"n": 0.1, "k": 4.0}, {"n": 0.05, "k": 3.0}, {"n": 1.2, "k": 6.0}, {"n": 0.4, "k": 2.5})
_KINDS = ("none", "line", "square", "rectangular", "hexagonal", "oblique")
_SHARES = (0.06, 0.12, 0.34, 0.16, 0.2, 0.12)


@dataclass(frozen=True)
class Case:
    """A design with its window and Bloch wavevector (1/nm); ``name`` tells the seed and what is special."""

    seed: int
    content: dict[str, Any]
    window_nm: tuple[float, float]
    bloch: tuple[float, float]
    traits: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """``seed 17 square bloch``."""
        return " ".join([f"seed {self.seed}", *self.traits])

    @property
    def design(self) -> Design:
        """Through the loader that a file takes."""
        return design_from_dict(self.content)

    @property
    def command(self) -> str:
        """What a user types for the design in ``seed17.toml``."""
        low, high = self.window_nm
        bloch = f" --bloch {self.bloch[0]!r},{self.bloch[1]!r}" if any(self.bloch) else ""
        return f"cavitydesign modes seed{self.seed}.toml --window {low!r}:{high!r}{bloch}"


def random_case(seed: int) -> Case:
    """The design of one seed."""
    return _Draw(seed).case()


class _Draw:
    def __init__(self, seed: int):
        self.seed, self.rng = seed, np.random.default_rng([20260, seed])
        self.traits: list[str] = []

    def chance(self, share: float, trait: str = "") -> bool:
        hit = bool(self.rng.random() < share)
        if hit and trait:
            self.traits.append(trait)
        return hit

    def number(self, low: float, high: float, digits: int = 4) -> float:
        return round(float(self.rng.uniform(low, high)), digits)

    # -- materials and layers --------------------------------------------------------------------------------------

    def material(self, low: float = 1.3, high: float = 4.0) -> dict[str, float]:
        """Mostly a glass or a polymer, at times a semiconductor; one in eight absorbs."""
        top = high if self.rng.random() < 0.3 else min(high, 2.3)
        found = {"n": self.number(low, max(low, top), 3)}
        if self.rng.random() < 0.12:
            found["k"] = float(f"{10.0 ** self.rng.uniform(-4.0, -0.7):.2g}")
            self.traits.append("lossy")
        return found

    def metal(self) -> dict[str, float]:
        self.traits.append("metal")
        return dict(_METALS[self.rng.integers(len(_METALS))])

    def thickness(self) -> float:
        """Mostly 20 to 500 nm, the extremes of 1 nm and 3 µm as well."""
        kind = self.rng.random()
        if kind < 0.06:
            return self.number(1.0, 5.0, 2)
        if kind < 0.1:
            return self.number(800.0, 3000.0, 1)
        return self.number(20.0, 500.0, 2)

    def layers(self) -> list[dict[str, Any]]:
        count = int(self.rng.integers(1, 7))
        top = {"n": 1.0} if self.rng.random() < 0.6 else {"n": self.number(1.0, 1.6, 3)}
        bottom = {"n": self.number(1.4, 1.6, 3)}
        if self.chance(0.06, "metal substrate"):
            bottom = self.metal()
        elif self.chance(0.06, "silicon"):
            bottom = {"n": 3.8, "k": 0.02}
        layers: list[dict[str, Any]] = [
            {"material": self.material(1.6 if i == 0 else 1.3), "thickness_nm": self.thickness()}
            for i in range(count)
        ]
        if self.chance(0.08, "same index"):
            layers[int(self.rng.integers(count))]["material"] = dict(bottom)
        if count > 1 and self.chance(0.1, "metal film"):
            layers[int(self.rng.integers(count))].update(
                material=self.metal(), thickness_nm=self.number(10.0, 120.0, 1)
            )
        if count > 2 and self.chance(0.1, "mirror"):
            high, low = self.number(1.9, 2.5, 3), self.number(1.35, 1.5, 3)
            for i in range(1, count):
                n = high if i % 2 else low
                layers[i] = {"material": {"n": n}, "thickness_nm": round(0.25 * 650.0 / n, 3)}
        return [{"material": top}, *layers, {"material": bottom}]

    # -- the cell --------------------------------------------------------------------------------------------------

    def lattice(self, kind: str) -> tuple[dict[str, Any], tuple[float, float], float]:
        """As a file has it, the lengths of its vectors, and the angle between them."""
        period = self.number(250.0, 480.0, 3) if self.rng.random() < 0.8 else self.number(480.0, 720.0, 3)
        other = round(period * float(self.rng.uniform(0.75, 1.33)), 3)
        if kind == "rectangular":
            return {"kind": kind, "period_x_nm": period, "period_y_nm": other}, (period, other), 90.0
        if kind == "oblique":
            angle = self.number(55.0, 90.0, 2)
            lattice = {"kind": kind, "period_1_nm": period, "period_2_nm": other, "angle_deg": angle}
            return lattice, (period, other), angle
        angle = 60.0 if kind == "hexagonal" else 90.0
        return {"kind": kind, "period_nm": period}, (period, period), angle

    def inclusions(self, kind: str, lengths: tuple[float, float], angle: float) -> list[dict[str, Any]]:
        """One or two; the second beside the first, or inside it. All fit into the circle that fits into the cell."""
        if kind == "line":
            return self.bars(lengths[0])
        free = 0.5 * min(lengths) * math.sin(math.radians(angle))
        if self.chance(0.35, "two inclusions"):
            if self.rng.random() < 0.4:
                outer = self.shape(0.9 * free, (0.0, 0.0), kind="circle")
                inner = self.shape(0.55 * outer["radius_nm"], (0.0, 0.0))
                return [outer, inner]
            step = round(0.26 * lengths[0], 3)
            size = 0.9 * min(step, free)
            return [self.shape(size, (-step, 0.0)), self.shape(size, (step, 0.0))]
        off = self.rng.random() < 0.2
        centre = (self.number(-40.0, 40.0, 1), self.number(-40.0, 40.0, 1)) if off else (0.0, 0.0)
        return [self.shape(0.95 * free, centre)]

    def bars(self, period: float) -> list[dict[str, Any]]:
        if self.chance(0.3, "two inclusions"):
            a, b = self.number(0.1, 0.35), self.number(0.1, 0.35)
            shift = round(0.25 * period, 3)
            return [
                {"shape": "bar", "width_nm": round(w * period, 2), "center_nm": [x, 0.0],
                 "material": self.filling()} for w, x in ((a, -shift), (b, shift))
            ]  # fmt: skip
        return [
            {"shape": "bar", "width_nm": round(self.number(0.2, 0.8) * period, 2), "material": self.filling()}
        ]

    def filling(self) -> dict[str, float]:
        if self.chance(0.04):
            return self.metal()
        return {"n": 1.0} if self.rng.random() < 0.3 else self.material(1.3, 3.5)

    def shape(self, reach: float, centre: tuple[float, float], *, kind: str = "") -> dict[str, Any]:
        """A shape inside the circle of radius ``reach`` around ``centre``."""
        kind = kind or str(self.rng.choice(["circle", "rectangle", "polygon"], p=[0.5, 0.25, 0.25]))
        radius = round(reach * float(self.rng.uniform(0.5, 1.0)), 3)
        found: dict[str, Any] = {"shape": kind, "center_nm": list(centre), "material": self.filling()}
        if kind == "circle":
            return {**found, "radius_nm": radius}
        if kind == "rectangle":
            lean = float(self.rng.uniform(0.4, 1.1))
            found["size_nm"] = [
                round(2.0 * radius * math.cos(lean), 3),
                round(2.0 * radius * math.sin(lean), 3),
            ]
            if self.rng.random() < 0.3:
                found["rotation_deg"] = self.number(-45.0, 45.0, 1)
            return found
        corners, first = int(self.rng.integers(3, 7)), float(self.rng.uniform(0.0, 2.0 * math.pi))
        uneven = self.rng.uniform(0.7, 1.0, corners) if self.rng.random() < 0.5 else np.ones(corners)
        turn = first + 2.0 * math.pi * np.arange(corners) / corners
        found["vertices_nm"] = [
            [round(float(radius * r * math.cos(t)), 3), round(float(radius * r * math.sin(t)), 3)]
            for r, t in zip(uneven, turn, strict=True)
        ]
        return found

    # -- the question ----------------------------------------------------------------------------------------------

    def case(self) -> Case:
        kind = str(self.rng.choice(_KINDS, p=_SHARES))
        self.traits.append(kind)
        layers = self.layers()
        content: dict[str, Any] = {"name": f"seed-{self.seed}", "family": "stack"}
        vectors = np.eye(2)
        if kind != "none":
            content["lattice"], lengths, angle = self.lattice(kind)
            for number in self.patterned(len(layers) - 2):
                layers[number]["inclusions"] = self.inclusions(kind, lengths, angle)
            if kind == "square" and self.chance(0.12, "supercell"):
                self.repeat(content["lattice"], layers)
                lengths = (2.0 * lengths[0], 2.0 * lengths[1])
            turned = math.radians(angle)
            vectors = np.array(
                [[lengths[0], 0.0], [lengths[1] * math.cos(turned), lengths[1] * math.sin(turned)]]
            )
        content["layers"] = layers
        bloch = self.bloch(kind, vectors)
        window = self.window(kind, vectors, bloch, layers)
        content["window_nm"] = list(window)
        design_from_dict(content)
        return Case(self.seed, content, window, bloch, tuple(dict.fromkeys(self.traits)))

    def patterned(self, count: int) -> list[int]:
        """Which layers hold inclusions: one, at times two."""
        first = int(self.rng.integers(1, count + 1))
        second = int(self.rng.integers(1, count + 1))
        return sorted({first, second}) if self.chance(0.15) else [first]

    def repeat(self, lattice: dict[str, Any], layers: list[dict[str, Any]]) -> None:
        """The same cell, described as 2 x 2 copies of itself."""
        period = lattice["period_nm"]
        lattice["period_nm"] = 2.0 * period
        corners = [(-0.5 * period, -0.5 * period), (-0.5 * period, 0.5 * period),
                   (0.5 * period, -0.5 * period), (0.5 * period, 0.5 * period)]  # fmt: skip
        for layer in layers:
            own = layer.get("inclusions", [])
            if own:
                layer["inclusions"] = [
                    {**item, "center_nm": [item["center_nm"][0] + x, item["center_nm"][1] + y]}
                    for item in own
                    for x, y in corners
                ]

    def bloch(self, kind: str, vectors: np.ndarray) -> tuple[float, float]:
        """Mostly Γ; else a small k, a point of the zone's edge with rounded digits, or anywhere."""
        if not self.chance(0.3, "bloch"):
            return 0.0, 0.0
        if kind == "none":
            return self.number(0.0, 0.006, 6), 0.0
        b1, b2 = 2.0 * math.pi * np.linalg.inv(vectors).T
        how = self.rng.random()
        if how < 0.35:
            k = float(self.rng.uniform(0.01, 0.1)) * b1
        elif how < 0.55:
            k = 0.5 * b1
        elif how < 0.75 and kind != "line":
            k = 0.5 * (b1 + b2)
        else:
            k = float(self.rng.uniform(-0.5, 0.5)) * b1 + float(self.rng.uniform(-0.5, 0.5)) * b2
        digits = int(self.rng.integers(6, 13))
        return round(float(k[0]), digits), 0.0 if kind == "line" else round(float(k[1]), digits)

    def window(
        self, kind: str, vectors: np.ndarray, bloch: tuple[float, float], layers: list[dict[str, Any]]
    ) -> tuple[float, float]:
        """40 to 200 nm wide; one in five begins or ends where a channel of a half-space opens."""
        width = self.number(40.0, 200.0, 1)
        low = self.number(500.0, 900.0 - width, 1)
        at = self.thresholds(kind, vectors, bloch, layers) if kind != "none" else []
        at = [t for t in at if 500.0 < t < 900.0]
        if not at or not self.chance(0.3, "edge on threshold"):
            return low, round(low + width, 4)
        edge = round(at[int(self.rng.integers(len(at)))], int(self.rng.integers(1, 9)))
        if self.rng.random() < 0.5:
            return edge, round(edge + width, 8)
        return round(edge - width, 8), edge

    def thresholds(
        self, kind: str, vectors: np.ndarray, bloch: tuple[float, float], layers: list[dict[str, Any]]
    ) -> list[float]:
        """Wavelengths at which channels of the two half-spaces open."""
        across = [0] if kind == "line" else [-2, -1, 0, 1, 2]
        steps = np.stack(np.meshgrid([-2, -1, 0, 1, 2], across), axis=-1).reshape(-1, 2)
        k = np.linalg.norm(steps @ (2.0 * math.pi * np.linalg.inv(vectors).T) + np.array(bloch), axis=1)
        indices = [
            end["material"]["n"] for end in (layers[0], layers[-1]) if end["material"].get("k", 0.0) < 1.0
        ]
        return sorted({round(2.0 * math.pi * n / x, 10) for n in indices for x in k[k > 1e-9].tolist()})
