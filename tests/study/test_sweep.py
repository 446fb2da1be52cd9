"""The sweep's grid, its outcomes, how it resumes and how it is interrupted; a counting fake stands for the solver."""

from __future__ import annotations

import csv
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from cavitydesign import design_from_dict
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.bragg import Bragg
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study import store as store_module
from cavitydesign.study.store import Failure, Store, Task
from cavitydesign.study.sweep import Axis, Interrupted, grid, sweep

PILLAR = {
    "name": "pillars",
    "family": "nanopillar_array",
    "lattice": {"kind": "square", "period_nm": 360.0},
    "pillar": {"material": {"n": 1.45}, "height_nm": 100.0, "diameter_nm": 200.0},
    "film": {"material": {"n": 1.85}, "thickness_nm": 250.0},
    "substrate": {"n": 1.45},
}


@dataclass
class Fake:
    """Stands for ``solve``: modes at 1.7 Λ and 1.8 Λ; counts its calls; fails or is interrupted where told."""

    calls: int = 0
    fail_at: float | None = None
    interrupt_at: float | None = None

    def __call__(self, design, settings, **asked):
        self.calls += 1
        period = design.lattice.period_nm
        if period == self.interrupt_at:
            raise KeyboardInterrupt
        if period == self.fail_at:
            raise SolverError("the poles and their count differ", status=Status.INCOMPLETE)
        wavelengths = [1.7 * period, 1.8 * period][: 1 if period < 350 else 2]
        modes = Modes.from_columns(wavelength_nm=wavelengths, q=[np.inf, 90.0][: len(wavelengths)])
        return Solution(modes, Status.OK, {"elapsed_s": 0.1})


@pytest.fixture
def design():
    return design_from_dict(PILLAR)


@pytest.fixture
def fake(monkeypatch):
    found = Fake()
    monkeypatch.setattr(store_module, "solve", found)
    return found


def test_a_range_includes_its_end_and_keeps_decimal_steps_exact():
    assert Axis.parse("lattice.period_nm=320:321:0.1").values == (
        320.0, 320.1, 320.2, 320.3, 320.4, 320.5, 320.6, 320.7, 320.8, 320.9, 321.0,
    )  # fmt: skip
    assert Axis.parse("a.b=3:1:-1").values == (3.0, 2.0, 1.0)
    assert Axis.parse("a = 1, 2.5 ,4").values == (1.0, 2.5, 4.0)
    assert Axis.parse("a=7").values == (7.0,)
    assert Axis.parse("a=1:2:0.7").values == (1.0, 1.7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lattice.period_nm", "path=start:stop:step"),
        ("=1:2:1", "path=start:stop:step"),
        ("a=1:2", "start:stop:step"),
        ("a=1:2:0", "step"),
        ("a=1:2:-1", "step"),
        ("a=1,x", "number"),
        ("a=nan", "finite"),
        ("a=1,1", "twice"),
        ("a=0:1e9:1", "points"),
    ],
)
def test_a_grid_that_makes_no_sense_is_one_line(text, says):
    with pytest.raises(InputError, match=says):
        Axis.parse(text)


def test_the_grid_covers_all_axes_with_the_last_one_fastest(design):
    axes = [Axis("lattice.period_nm", (350.0, 360.0)), Axis("film.thickness_nm", (200.0, 210.0, 220.0))]
    points = grid(design, axes, Bragg())
    assert [tuple(point.values.values()) for point in points] == [
        (350.0, 200.0), (350.0, 210.0), (350.0, 220.0), (360.0, 200.0), (360.0, 210.0), (360.0, 220.0),
    ]  # fmt: skip
    assert all(isinstance(point.task, Task) for point in points)
    assert points[5].task.design.film.thickness_nm == 220.0


def test_an_unknown_path_and_a_path_twice_are_errors(design):
    with pytest.raises(InputError, match=r"lattice\.perid_nm"):
        grid(design, [Axis("lattice.perid_nm", (1.0,))], Bragg())
    with pytest.raises(InputError, match="twice"):
        grid(design, [Axis("lattice.period_nm", (350.0,)), Axis("lattice.period_nm", (360.0,))], Bragg())


def test_a_point_that_breaks_a_rule_keeps_its_message_and_the_rest_is_solved(design, fake):
    done = sweep(design, [Axis("lattice.period_nm", (190.0, 360.0))], Bragg())
    assert fake.calls == 1
    ((point, failure),) = done.failed
    assert point.values == {"lattice.period_nm": 190.0}
    assert isinstance(failure, Failure)
    assert "diameter_nm" in failure.message
    assert failure.exit_code == 2
    with pytest.raises(InputError, match="no point of the grid"):
        sweep(design, [Axis("lattice.period_nm", (150.0, 190.0))], Bragg())


def test_a_second_run_asks_no_solver_and_an_interrupted_one_goes_on(design, fake, tmp_path):
    axes, store = [Axis("lattice.period_nm", (340.0, 350.0, 360.0, 370.0))], Store(tmp_path)
    fake.interrupt_at = 360.0
    with pytest.raises(Interrupted) as stopped:
        sweep(design, axes, Bragg(), store=store)
    assert (stopped.value.done, stopped.value.total) == (2, 4)
    fake.interrupt_at, fake.calls = None, 0
    first = sweep(design, axes, Bragg(), store=store)
    assert fake.calls == 2
    again = sweep(design, axes, Bragg(), store=store)
    assert fake.calls == 2
    assert again.csv() == first.csv()


def test_a_failure_is_kept_and_tried_again_only_on_request(design, fake, tmp_path):
    axes, store = [Axis("lattice.period_nm", (350.0, 360.0))], Store(tmp_path)
    fake.fail_at = 360.0
    failed = sweep(design, axes, Bragg(), store=store).failed
    assert [outcome.status for _, outcome in failed] == ["INCOMPLETE"]
    fake.fail_at, fake.calls = None, 0
    assert len(sweep(design, axes, Bragg(), store=store).failed) == 1
    assert fake.calls == 0
    assert not sweep(design, axes, Bragg(), store=store, retry=True).failed
    assert fake.calls == 1
    assert not sweep(design, axes, Bragg(), store=store).failed


def test_a_line_runner_sees_whole_lines(design, fake):
    axes = [Axis("film.thickness_nm", (200.0, 210.0)), Axis("lattice.period_nm", (350.0, 360.0, 370.0))]
    lines = []

    def follow(tasks):
        lines.append([task.design.lattice.period_nm for task in tasks])
        return [task.run() for task in tasks]

    done = sweep(design, axes, Bragg(), run_line=follow)
    assert lines == [[350.0, 360.0, 370.0]] * 2
    assert len(done.outcomes) == 6


def test_the_dataset_has_one_dimension_per_axis_and_reads_back(design, fake, tmp_path):
    import xarray

    axes = [Axis("lattice.period_nm", (340.0, 360.0)), Axis("film.thickness_nm", (200.0, 210.0, 220.0))]
    fake.fail_at = None
    netcdf, table = sweep(design, axes, Bragg()).write(tmp_path / "out")
    with xarray.open_dataset(netcdf, engine="h5netcdf") as data:
        assert dict(data.sizes) == {"lattice.period_nm": 2, "film.thickness_nm": 3, "mode": 2}
        assert data["wavelength_nm"].attrs["units"] == "nm"
        at = data.sel({"lattice.period_nm": 360.0, "film.thickness_nm": 210.0})
        assert at.wavelength_nm.values.tolist() == [1.8 * 360.0, 1.7 * 360.0]
        assert int(data["modes_found"].sel({"lattice.period_nm": 340.0, "film.thickness_nm": 200.0})) == 1
        assert np.isnan(data["wavelength_nm"].sel({"lattice.period_nm": 340.0}).values[:, 1]).all()
        assert data.attrs["design_id"] == design.id
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 3 * 1 + 3 * 2
    assert float(rows[0]["wavelength_nm"]) == 1.7 * 340.0
    assert rows[0]["n_eff"] == ""


def test_a_bragg_sweep_in_two_processes_gives_what_one_gives(design):
    axes = [Axis("lattice.period_nm", (355.0, 360.0))]
    assert sweep(design, axes, Bragg(), jobs=2).csv() == sweep(design, axes, Bragg(), jobs=1).csv()


def test_live_resonances_of_a_dispersive_stack_stay_in_the_process_that_found_them(design):
    library = design_from_dict(
        {**PILLAR, "substrate": {"library": "main/SiO2/Malitson"}, "window_nm": [590.0, 640.0]}
    )
    axes = [Axis("lattice.period_nm", (355.0, 360.0))]
    assert sweep(library, axes, Poles(waves=25), jobs=2).csv() == sweep(library, axes, Poles(waves=25)).csv()


def test_a_pickled_solution_has_its_table_but_no_fields(design):
    solution = solve(design, Poles(waves=25), window_nm=(590.0, 640.0))
    again = pickle.loads(pickle.dumps(solution))  # noqa: S301
    assert len(again.modes) == len(solution.modes) > 0
    for name, column in solution.modes.columns.items():
        np.testing.assert_array_equal(again.modes[name], column)
        assert not again.modes[name].flags.writeable
    mode = pickle.loads(pickle.dumps(solution.modes[0]))  # noqa: S301
    assert mode.wavelength_nm == solution.modes[0].wavelength_nm
    with pytest.raises(InputError, match="no fields"):
        again.modes[0].fields(z_nm=0.0)


def test_no_jobs_is_an_error(design):
    with pytest.raises(InputError, match="--jobs"):
        sweep(design, [Axis("lattice.period_nm", (355.0,))], Bragg(), jobs=0)


def test_following_the_modes_gives_what_searching_at_each_point_gives():
    from cavitydesign.study.sweep import following

    pcsel = design_from_dict(
        {
            "name": "weak grating",
            "family": "pcsel",
            "lattice": {"period_nm": 360.0},
            "grating": {"material": {"n": 2.0}, "thickness_nm": 170.0, "hole_nm": 160.0},
            "infill": {"material": {"n": 1.8}},
            "substrate": {"n": 1.46},
        }
    )
    axes, settings = [Axis("lattice.period_nm", (356.0, 358.0, 360.0, 362.0))], Poles(waves=25)
    window = (575.0, 640.0)
    followed = sweep(pcsel, axes, settings, window_nm=window, run_line=following("lattice.period_nm"))
    searched = sweep(pcsel, axes, settings, window_nm=window)
    for one, two in zip(followed.outcomes, searched.outcomes, strict=True):
        assert len(one.modes) == len(two.modes) > 0
        # the same matrices at the same number of waves: only the polish differs
        np.testing.assert_allclose(one.modes["wavelength_nm"], two.modes["wavelength_nm"], rtol=1e-6)
        assert list(one.modes["symmetry"]) == list(two.modes["symmetry"])
