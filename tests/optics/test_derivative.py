"""Derivatives of a pole by every kind of parameter, from its fields, against solved poles on either side."""

from typing import Any

import pytest

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry.stack import Stack
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.derivative import pole_derivative
from cavitydesign.optics.patterned.planewaves import blocks, plane_waves
from cavitydesign.optics.patterned.resonance import polish
from cavitydesign.optics.patterned.symmetry import point_group

VALUES = {
    "period": 360.0, "period_x": 360.0, "period_y": 370.0, "film": 60.0, "slab": 170.0, "spacer": 80.0, "radius": 90.0,
    "side": 130.0, "turn": 12.0, "corner": 70.0, "centre": 15.0,
    "film_n": 1.85, "hole_n": 1.6, "slab_n": 2.0, "above_n": 1.0, "below_n": 1.46, "slab_k": 0.003,
}  # fmt: skip


def made(shape: str, **changes: float) -> Stack:
    """{above | film | slab with one inclusion | spacer of its own | below} as a function of every number in it."""
    p = {**VALUES, **changes}
    inclusions: dict[str, Any] = {
        "circle": {"shape": "circle", "radius_nm": p["radius"]},
        "rectangle": {"shape": "rectangle", "size_nm": [p["side"], 100.0], "rotation_deg": p["turn"]},
        "polygon": {
            "shape": "polygon", "vertices_nm": [[p["corner"], 10.0], [-40.0, 80.0], [-60.0, -70.0]],
            "center_nm": [p["centre"], 0.0],
        },
    }  # fmt: skip
    lattice = {"kind": "square", "period_nm": p["period"]}
    if "period_x" in changes or "period_y" in changes:
        lattice = {"kind": "rectangular", "period_x_nm": p["period_x"], "period_y_nm": p["period_y"]}
    return Stack.model_validate(
        {
            "lattice": lattice,
            "layers": [
                {"material": {"n": p["above_n"]}},
                {"material": {"n": p["film_n"]}, "thickness_nm": p["film"], "gain": True},
                {
                    "material": {"n": p["slab_n"], "k": p["slab_k"]},
                    "thickness_nm": p["slab"],
                    "inclusions": [{**inclusions[shape], "material": {"n": p["hole_n"]}}],
                },
                {"material": {"n": 1.5}, "thickness_nm": p["spacer"]},
                {"material": {"n": p["below_n"]}},
            ],
        }
    )


CASES = [
    *[
        ("circle", name, "C4v", "E")
        for name in ("period", "film", "slab", "spacer", "radius", "film_n", "hole_n", "slab_n")
    ],
    *[("circle", name, "C4v", "E") for name in ("above_n", "below_n", "slab_k")],
    *[("circle", name, "C4v", label) for name in ("period", "radius", "slab") for label in ("A1", "B2")],
    *[("circle", name, "C2v", "B1") for name in ("period_x", "period_y")],
    *[("rectangle", name, "C2", "B") for name in ("side", "turn", "period")],
    *[("polygon", name, "C1", "A") for name in ("corner", "centre", "hole_n")],
]
GROUPS = {"C4v": point_group(4, 0.0), "C2v": point_group(2, 0.0), "C2": point_group(2), "C1": point_group(1)}


def _problem(
    shape: str, group: str, label: str, bloch: tuple[float, float] = (0.0, 0.0), **changes: float
) -> BlockProblem:
    numeric = resolve_stack(made(shape, **changes), window_nm=(560.0, 750.0))
    waves = plane_waves(numeric.lattice, bloch=bloch, count=13)
    block = next(b for b in blocks(waves, GROUPS[group]) if b.irrep.label == label)
    return BlockProblem(numeric, waves, block)


@pytest.mark.parametrize(("shape", "name", "group", "label"), CASES)
def test_against_finite_differences(shape, name, group, label):
    """To 1e-6 of the derivative (of k0 over the value times 2e-11, where it vanishes: moving the whole pattern).

    Steps of 1e-4 of the value to either side, and twice that, extrapolated: their own error is of order 1e-12.
    """
    fixed = (
        {"period_x": VALUES["period_x"], "period_y": VALUES["period_y"]} if name.startswith("period_") else {}
    )
    value = VALUES[name]
    step = 1e-4 * abs(value)

    def at(moved: float) -> dict[str, float]:
        return {**fixed, name: value + moved}

    start = next(
        found
        for near in (610.0, 600.0, 620.0, 580.0, 640.0)
        if (
            found := polish(
                _problem(shape, group, label, **at(0.0)), units.k0_per_nm(near) + 0j, reach=0.002, steps=40
            )
        )
    )

    def solved(moved: float) -> complex:
        found = polish(_problem(shape, group, label, **at(moved)), start.k0, accept=1e-12, steps=10)
        assert found is not None
        return found.k0

    settled = polish(start.problem, start.k0, accept=1e-12, steps=10)
    assert settled is not None
    below, above = (resolve_stack(made(shape, **at(d)), window_nm=(560.0, 750.0)) for d in (-step, step))
    found = pole_derivative(settled, below, above, step=step)
    near, far = ((solved(d) - solved(-d)) / (2.0 * d) for d in (step, 2.0 * step))
    expected = (4.0 * near - far) / 3.0
    assert abs(found - expected) < 1e-6 * abs(expected) + 2e-11 * abs(settled.k0 / value)


def test_period_at_a_fixed_wavevector():
    """Away from Γ the wavevector in 1/nm stays what it is while the period changes."""
    bloch, step = (0.0008, 0.0), 0.02
    label, near = "A''", units.k0_per_nm(610.0) + 0j

    def solved(period: float):
        numeric = resolve_stack(made("circle", period=period), window_nm=(560.0, 750.0))
        waves = plane_waves(numeric.lattice, bloch=bloch, count=21)
        block = next(b for b in blocks(waves, point_group(1, 0.0)) if b.irrep.label == label)
        found = polish(BlockProblem(numeric, waves, block), near, reach=0.003, accept=1e-12, steps=40)
        assert found is not None
        return numeric, found

    (below, low), (_, middle), (above, high) = (solved(360.0 + d) for d in (-step, 0.0, step))
    expected = (high.k0 - low.k0) / (2.0 * step)
    assert pole_derivative(middle, below, above, step=step) == pytest.approx(expected, rel=1e-6)


def test_layers_that_come_and_go_have_no_derivative():
    problem = _problem("circle", "C4v", "E")
    found = polish(problem, units.k0_per_nm(610.0) + 0j, reach=0.002, steps=40)
    assert found is not None
    whole = made("circle")
    fewer = Stack(lattice=whole.lattice, layers=(*whole.layers[:3], whole.layers[-1]))
    stacks = [resolve_stack(item, window_nm=(560.0, 750.0)) for item in (fewer, whole)]
    with pytest.raises(InputError, match="number of layers"):
        pole_derivative(found, stacks[0], stacks[1], step=1.0)
