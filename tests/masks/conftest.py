"""Small masks to test with."""

from collections.abc import Callable
from typing import Any

import pytest

from cavitydesign import masks


def stack_design(shape: dict[str, Any], lattice: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A free stack with one patterned layer."""
    inclusion = {**shape, "material": {"n": 1.8}}
    return {
        "name": "test",
        "family": "stack",
        "lattice": lattice,
        "layers": [
            {"material": {"n": 1.0}},
            {"material": {"n": 2.0}, "thickness_nm": 170.0, "inclusions": [inclusion]},
            {"material": {"n": 1.46}},
        ],
        **more,
    }


def circle_design(
    *, kind: str = "square", period_nm: float = 360.0, radius_nm: float = 110.0
) -> dict[str, Any]:
    return stack_design({"shape": "circle", "radius_nm": radius_nm}, {"kind": kind, "period_nm": period_nm})


def two_mirror_design() -> dict[str, Any]:
    mirror = {"design_wavelength_nm": 690.0, "pairs": 8, "high": {"n": 2.3}, "low": {"n": 1.46}}
    return {
        "name": "cavity",
        "family": "two_mirror",
        "front_mirror": mirror,
        "back_mirror": mirror,
        "film": {"thickness_nm": 150.0, "material": {"n": 1.85}},
        "spacer": {"thickness_nm": 300.0, "material": {"n": 1.49}},
        "substrate": {"n": 1.46},
    }


def mask_content(design: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A mask of one field; keys named ``field_*`` go into the field, others replace those of the mask."""
    field = {"name": "f", "design": design or circle_design(), "periods": [5, 4]}
    field |= {
        name.removeprefix("field_"): item for name, item in changes.items() if name.startswith("field_")
    }
    own = {name: item for name, item in changes.items() if not name.startswith("field_")}
    return {
        "name": "test",
        "database_unit_nm": 0.1,
        "chip": {"size_um": [1000.0, 1000.0]},
        "fields": [{name: item for name, item in field.items() if item is not None}],
        **own,
    }


@pytest.fixture(scope="session")
def content() -> Callable[..., dict[str, Any]]:
    return mask_content


@pytest.fixture(scope="session")
def spec() -> Callable[..., masks.MaskSpec]:
    return lambda design=None, **changes: masks.mask_from_dict(mask_content(design, **changes))


@pytest.fixture(scope="session")
def circles() -> Callable[..., dict[str, Any]]:
    return circle_design


@pytest.fixture(scope="session")
def stacks() -> Callable[..., dict[str, Any]]:
    return stack_design


@pytest.fixture(scope="session")
def cavity() -> Callable[..., dict[str, Any]]:
    return two_mirror_design
