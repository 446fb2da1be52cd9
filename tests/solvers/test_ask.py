"""The question: what is refused at its edge, and what is told of what a solver does not look at."""

import math
import re

import numpy as np
import pytest

from cavitydesign import Bragg, Finite, design_from_dict, load_design, solve
from cavitydesign.errors import InputError, Status
from cavitydesign.geometry import Circle, Constant, HexagonalLattice, Inclusion, Layer, LineLattice, Stack
from cavitydesign.geometry.device import Device
from cavitydesign.geometry.pattern import Bar
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.fdtd.job import jobs
from cavitydesign.solvers.fdtd.solver import Fdtd
from cavitydesign.solvers.poles import Poles
from tests.study.toy import Toy, film

AIR = Layer(material=Constant(n=1.0))
GRATING = {
    "name": "first order",
    "family": "grating",
    "window_nm": [640.0, 680.0],
    "lattice": {"kind": "line", "period_nm": 210.0},
    "grating": {"thickness_nm": 30.0, "material": {"n": 1.46}, "duty_cycle": 0.5, "duty_cycle_of": "ridge"},
    "film": {"material": {"n": 1.85}, "coating": "planarising", "thickness_nm": 180.0},
    "substrate": {"n": 1.46},
}


@pytest.mark.parametrize(
    ("asked", "key", "rule"),
    [
        ({"window_nm": "600:650"}, "window_nm", "[shorter, longer] wavelength in nm"),
        ({"window_nm": 600}, "window_nm", "[shorter, longer] wavelength in nm"),
        ({"window_nm": (600.0, math.nan)}, "window_nm", "[shorter, longer] wavelength in nm"),
        ({"window_nm": (600.0, [650.0])}, "window_nm", "[shorter, longer] wavelength in nm"),
        ({"bloch": (0, 0, 0)}, "bloch", "two finite numbers in 1/nm"),
        ({"bloch": "0,0"}, "bloch", "two finite numbers in 1/nm"),
        ({"angle_deg": "30"}, "angle_deg", "a number of degrees"),
        ({"device": (20, 20)}, "device", "a Device, such as Device(periods=(17, 17))"),
        ({"device": Device(periods=(5,))}, "device.periods", "takes two numbers"),
        ({"device": Device(periods=(5, 5), shift_periods=0.5)}, "device.shift_periods", "line lattice"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_key(asked, key, rule):
    with pytest.raises(InputError, match=re.escape(rule)) as caught:
        solve(film(), Toy(), **asked)
    assert caught.value.key == key


@pytest.mark.parametrize("subject", ["file.toml", None, 3])
def test_only_a_design_or_a_stack_can_be_asked_about(subject):
    with pytest.raises(InputError, match="must be a design") as caught:
        solve(subject)
    assert caught.value.key == "subject"


def test_plain_and_numpy_numbers_may_be_asked():
    ask = Ask.of(film(), window_nm=np.array([600, 650]), bloch=(np.float32(0.5), 0), angle_deg=np.int64(3))
    assert (ask.window_nm, ask.bloch, ask.angle_deg) == ((600.0, 650.0), (0.5, 0.0), 3.0)


@pytest.mark.parametrize(
    ("layout", "device"),
    [("grating", Device(periods=(20, 20))), ("two_mirror", Device(periods=(5, 5)))],
)
def test_a_device_that_the_lattice_cannot_have_is_refused_by_every_solver(layout, device):
    design = load_design(f"layouts/{layout}.toml")
    for settings in (Poles(), Fdtd(), Finite(), Bragg()):
        with pytest.raises(InputError, match="device"):
            solve(design, settings, device=device)


def test_a_shift_that_is_not_computed_is_named():
    device = {"periods": 200, "shift_periods": 0.25}
    design = design_from_dict({**GRATING, "device": device})
    (note,) = solve(design, Bragg()).warnings
    assert "200 periods" in note
    assert "shift of 0.25 periods" in note
    (plain,) = solve(design, Bragg(), device=Device(periods=(200,))).warnings
    assert "shift" not in plain


def test_where_gamma_has_nothing_the_edge_of_the_zone_is_named():
    found = solve(design_from_dict(GRATING))
    assert found.status is Status.NO_MODES
    (note,) = found.warnings
    (wave,) = solve(design_from_dict(GRATING), Bragg()).modes
    assert f"order 1 ({wave.wavelength_nm:.1f} nm)" in note
    told = [float(part) for part in re.search(r"--bloch (\S+)$", note)[1].split(",")]
    assert told == pytest.approx([math.pi / 210.0, 0.0], rel=1e-6)
    there = solve(design_from_dict(GRATING), bloch=tuple(told), window_nm=(600.0, 700.0)).modes
    assert min(abs(mode.wavelength_nm / wave.wavelength_nm - 1.0) for mode in there) < 0.02
    assert solve(design_from_dict(GRATING), bloch=(1e-3, 0.0)).warnings == ()


def test_the_edge_of_a_hexagonal_zone_is_along_its_reciprocal_vectors():
    inclusion = Inclusion(pattern=Circle(radius_nm=30.0), material=Constant(n=1.5))
    slab = Layer(material=Constant(n=1.9), thickness_nm=200.0, inclusions=(inclusion,))
    stack = Stack(lattice=HexagonalLattice(period_nm=240.0), layers=(AIR, slab, AIR))
    window = (645.0, 680.0)
    orders = [mode.order for mode in solve(stack, Bragg(), window_nm=window).modes]
    assert orders == [1]
    (note,) = solve(stack, Poles(waves=21), window_nm=window).warnings
    told = [float(part) for part in note.rpartition(" ")[2].split(",")]
    assert told == pytest.approx(0.5 * stack.lattice.reciprocal_per_nm[0], rel=1e-6)


def test_no_edge_is_named_where_there_is_no_odd_order():
    found = solve(film(), Toy(rules=()))
    assert (found.status, found.warnings) == (Status.NO_MODES, ())
    thin = Stack(layers=(AIR, Layer(material=Constant(n=1.5), thickness_nm=10.0), AIR))
    assert solve(thin, window_nm=(600.0, 700.0)).warnings == ()


BARS = Stack(
    lattice=LineLattice(period_nm=400.0),
    layers=(
        AIR,
        Layer(
            material=Constant(n=1.8),
            thickness_nm=150.0,
            inclusions=(Inclusion(pattern=Bar(width_nm=200.0), material=Constant(n=1.5)),),
        ),
        AIR,
    ),
)


@pytest.mark.parametrize(("resolutions", "grids"), [((25.0, 25.0), 1), ((24.0, 25.0), 1), ((25.0, 40.0), 2)])
def test_resolutions_that_give_one_grid_are_one(resolutions, grids, monkeypatch):
    ask, settings = Ask.of(BARS, window_nm=(640.0, 680.0)), Fdtd(pixels_per_um=resolutions)
    plan = jobs(ask, settings)
    assert len({job.resolution for job in plan}) == grids
    assert len({job.name for job in plan}) == len(plan)
    assert len(plan) == grids * len(jobs(ask, Fdtd(pixels_per_um=(25.0,))))
    fits = [
        {"channel": f"a{i}", "frequency": 1.5, "decay": -1e-3, "amplitude": 1.0, "phase": 0.0, "error": 1e-9}
        for i in range(6)
    ]

    def perform(plan, settings, progress):
        return [
            {
                "status": "done", "steps": 1, "stepping_s": 1.0, "setup_s": 1.0, "time": 1.0, "meep": "1",
                "channels": [{"name": fit["channel"], "group": group} for group in job.labels for fit in fits],
                "windows": [
                    {"fits": [{**fit, "group": group} for group in job.labels for fit in fits]} for _ in range(3)
                ],
            }
            for job in plan
        ]  # fmt: skip

    monkeypatch.setattr("cavitydesign.solvers.fdtd.solver.perform", perform)
    found = settings.run(ask)
    assert len(found.modes)
    assert found.status is (Status.OK if grids > 1 else Status.APPROXIMATE)
    assert np.isnan(found.modes["wavelength_err_nm"]).all() == (grids == 1)
