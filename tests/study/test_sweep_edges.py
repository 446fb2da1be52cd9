"""A sweep at its edges: what it says, what it counts, what it keeps, and what following a line gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

import cavitydesign
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.files import MOST_NUMBERS
from cavitydesign.solvers.bragg import Bragg
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Solution
from cavitydesign.study import follow as follow_module
from cavitydesign.study import sweep as module
from cavitydesign.study.store import Failure, Store, Task
from cavitydesign.study.sweep import Axis, Interrupted, following, grid, sweep
from tests.study.toy import FILM_INDEX, THICKNESS, Rule, Toy, film

PERIOD = "lattice.period_nm"


@dataclass(frozen=True)
class Plain(Toy):
    """A toy whose settings are numbers, so that a store can keep its answers; it keeps what it was asked."""

    name = "plain"
    version = 1

    rules: tuple[Rule, ...] = ()
    breaks_at_nm: float = 215.0
    slope: float = 0.5

    def run(self, ask):
        ASKED.append(ask.stack.layers[1].thickness_nm)
        return Toy((Rule(640.0, by_thickness=self.slope),), self.breaks_at_nm).run(ask)


ASKED: list[float] = []
TOY = Plain()


def refused(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def holed(**parts):
    """A film with a hole in each cell, which the pole solver treats as patterned."""
    hole = {"shape": "circle", "radius_nm": 80.0, "material": {"n": 1.0}}
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 2.0}, "thickness_nm": 200.0, "gain": True, "inclusions": [hole]},
        {"material": {"n": 1.46}},
    ]
    return film(layers=layers, window_nm=[590.0, 690.0], **parts)


# -- what it says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a.b", "=1,2", " = 1", "a.b=", "a.b= "])
def test_a_vary_that_is_not_one(text):
    assert refused(Axis.parse, text) == (
        f"--vary: is written path=start:stop:step or path=a,b,c, got {text!r}"
    )


def test_values_that_are_not_numbers_name_their_path():
    assert refused(Axis.parse, "a.b=1,x").startswith("--vary a.b: ")


def test_a_number_varied_twice():
    axes = [Axis(PERIOD, (400.0,)), Axis(THICKNESS, (200.0,)), Axis(PERIOD, (410.0,))]
    with pytest.raises(InputError) as caught:
        grid(film(), axes, TOY)
    assert (caught.value.key, caught.value.message) == ("--vary", "varies the same number twice")
    assert caught.value.value == f"{PERIOD}, {THICKNESS}, {PERIOD}"


def test_as_many_points_as_there_may_be_and_no_more(monkeypatch):
    monkeypatch.setattr(module, "MOST_NUMBERS", 6)
    axes = [Axis(PERIOD, (400.0, 401.0, 402.0)), Axis(THICKNESS, (200.0, 201.0))]
    assert len(grid(film(), axes, TOY)) == 6
    more = [axes[0], Axis(THICKNESS, (200.0, 201.0, 202.0))]
    assert refused(grid, film(), more, TOY) == (
        f"--vary: asks for 9 points, more than 6; sweep in parts, got ['{PERIOD}', '{THICKNESS}']"
    )
    assert MOST_NUMBERS > 6


def test_a_grid_without_a_valid_design_tells_the_first_complaint():
    said = refused(grid, film(), [Axis(PERIOD, (-1.0, -2.0))], TOY)
    assert said.startswith("--vary: no point of the grid is a valid design; the first: ")
    assert PERIOD in said
    assert said.endswith("got -1.0")


def test_jobs_below_one():
    assert refused(sweep, film(), [Axis(THICKNESS, (200.0,))], TOY, jobs=0) == (
        "--jobs: must be at least 1, got 0"
    )


def test_an_interruption_says_how_many_points_are_kept():
    stopped = Interrupted(2, 5)
    assert (stopped.done, stopped.total) == (2, 5)
    assert str(stopped) == "interrupted; 2 of 5 points are kept"


# -- what it counts ----------------------------------------------------------------------------------------------


def test_progress_counts_what_is_known_and_then_each_point(tmp_path):
    store, told = Store(tmp_path), []
    sweep(film(), [Axis(THICKNESS, (200.0, 202.0))], TOY, store=store)
    axes = [Axis(THICKNESS, (200.0, 201.0, 202.0, 203.0))]
    sweep(film(), axes, TOY, store=store, progress=lambda done, of, what="": told.append((done, of)))
    assert told == [(2, 4), (3, 4), (4, 4)]


def test_a_point_that_is_no_design_counts_as_known():
    told = []
    sweep(
        film(), [Axis(PERIOD, (-1.0, 400.0))], TOY,
        progress=lambda done, of, what="": told.append((done, of)),
    )  # fmt: skip
    assert told == [(1, 2), (2, 2)]


def test_without_axes_there_is_one_point():
    done = sweep(film(), [], TOY)
    assert [dict(point.values) for point in done.points] == [{}]
    assert done.outcomes[0].modes[0].wavelength_nm == 640.0
    assert done.csv().startswith("wavelength_nm,")
    assert len(sweep(film(), [], TOY, run_line=lambda tasks: [task.run() for task in tasks]).outcomes) == 1


def test_lines_are_those_of_the_last_axis_without_what_is_known(tmp_path):
    store, lines = Store(tmp_path), []
    axes = [Axis(FILM_INDEX, (2.0, 2.1)), Axis(THICKNESS, (200.0, 201.0, 202.0))]
    sweep(film(), [Axis(FILM_INDEX, (2.1,)), Axis(THICKNESS, (200.0,))], TOY, store=store)

    def runs(tasks):
        lines.append([(t.design.value_at(FILM_INDEX), t.design.value_at(THICKNESS)) for t in tasks])
        return [task.run() for task in tasks]

    sweep(film(), axes, TOY, store=store, run_line=runs)
    assert lines == [[(2.0, 200.0), (2.0, 201.0), (2.0, 202.0)], [(2.1, 201.0), (2.1, 202.0)]]


def test_what_the_settings_ask_reaches_every_point():
    done = sweep(film(), [Axis(THICKNESS, (200.0, 201.0))], TOY, window_nm=(610.0, 640.2), bloch=(0.1, 0.2))
    assert {point.task.window_nm for point in done.points} == {(610.0, 640.2)}
    assert {point.task.bloch for point in done.points} == {(0.1, 0.2)}
    assert [len(outcome.modes) for outcome in done.outcomes] == [1, 0]


# -- what it keeps -----------------------------------------------------------------------------------------------


def test_only_a_failure_is_asked_again(tmp_path):
    axes, store = [Axis(THICKNESS, (200.0, 220.0))], Store(tmp_path)
    first = sweep(film(), axes, TOY, store=store)
    assert [isinstance(outcome, Failure) for outcome in first.outcomes] == [False, True]
    ASKED.clear()
    sweep(film(), axes, TOY, store=store)
    assert ASKED == []
    sweep(film(), axes, TOY, store=store, retry=True)
    assert ASKED == [220.0]


def test_a_store_is_filled_although_nothing_is_in_it_yet(tmp_path):
    axes, store = [Axis(THICKNESS, (200.0, 201.0))], Store(tmp_path)
    done = sweep(film(), axes, TOY, store=store)
    for point, outcome in zip(done.points, done.outcomes, strict=True):
        assert (
            store.get(point.task).modes["wavelength_nm"].tolist() == outcome.modes["wavelength_nm"].tolist()
        )


@pytest.mark.parametrize(
    ("status", "trusted"),
    [
        (Status.OK, True),
        (Status.NO_MODES, True),
        (Status.APPROXIMATE, True),
        (Status.UNCONVERGED, True),
        (Status.INCOMPLETE, False),
        (Status.PARTIAL, False),
    ],
)
def test_what_may_be_used_as_it_stands(status, trusted):
    done = sweep(film(), [Axis(THICKNESS, (200.0,))], TOY)
    marked = replace(done, outcomes=(replace(done.outcomes[0], status=status),))
    assert status.trustworthy is trusted
    assert marked.failed == (() if trusted else ((done.points[0], marked.outcomes[0]),))
    broken = replace(done, outcomes=(Failure("no", 3, status.name),))
    assert broken.failed == ((done.points[0], broken.outcomes[0]),)


def test_the_attributes_say_where_all_of_it_comes_from():
    done = sweep(film(index_err=0.05), [Axis(THICKNESS, (200.0, 201.0))], TOY, window_nm=(600.5, 700.0))
    assert done.to_dataset().attrs == {
        "design": "toy film",
        "design_id": done.design.id,
        "solver": "plain",
        "window_nm": "600.5:700",
        "cavitydesign": cavitydesign.__version__,
        "assumed": f"{FILM_INDEX} = 2; {THICKNESS} = 200",
        "fitted": "",
    }


def test_variables_carry_their_meaning_and_warnings_stand_in_the_message():
    class Wordy(Toy):
        name, version = "wordy", 1

        def run(self, ask):
            return replace(super().run(ask), warnings=("one thing", "another"))

    data = sweep(film(), [Axis(THICKNESS, (200.0,))], Wordy()).to_dataset()
    assert data["message"].values.tolist() == ["one thing; another"]
    assert data["status"].dims == data["message"].dims == data["modes_found"].dims == (THICKNESS,)
    assert data["modes_found"].attrs == {"long_name": "rows of this point that are filled"}


# -- following a line --------------------------------------------------------------------------------------------


def tasks_of(design, values, settings, path=PERIOD, **asked):
    return [Task.of(design.with_value(path, value), settings, **asked) for value in values]


def test_a_followed_line_says_how_it_was_found():
    settings = Poles(waves=13)
    tasks = tasks_of(holed(), [398.0, 399.0, 400.0], settings, window_nm=(600.0, 690.0))
    outcomes = list(following(PERIOD)(tasks))
    for task, outcome in zip(tasks, outcomes, strict=True):
        assert isinstance(outcome, Solution)
        assert outcome.status is Status.OK
        assert outcome.provenance == {"method": "followed"}
        assert (outcome.solver, outcome.window_nm) == ("poles", (600.0, 690.0))
        assert outcome.design_id == task.design.id
    assert len({outcome.modes["wavelength_nm"][0] for outcome in outcomes}) == 3


@pytest.mark.parametrize(
    ("values", "settings"), [([399.0, 400.0], Poles(waves=13)), ([398.0, 399.0, 400.0], Bragg())]
)
def test_short_lines_and_other_solvers_go_point_by_point(values, settings, monkeypatch):
    monkeypatch.setattr(follow_module, "follow", None)  # would be called, and is not callable
    tasks = tasks_of(holed(), values, settings)
    outcomes = list(following(PERIOD)(tasks))
    assert [outcome.provenance.get("method") for outcome in outcomes] == [
        task.run().provenance.get("method") for task in tasks
    ]
    assert all(isinstance(outcome, Solution) for outcome in outcomes)


def test_three_points_are_a_line():
    outcomes = list(following(PERIOD)(tasks_of(holed(), [398.0, 399.0, 400.0], Poles(waves=13))))
    assert [outcome.provenance["method"] for outcome in outcomes] == ["followed"] * 3


def test_what_cannot_be_followed_fails_at_every_point():
    """A uniform film: the reason stands at each of its points."""
    outcomes = list(following(THICKNESS)(tasks_of(film(), [198.0, 199.0, 200.0], Poles(), THICKNESS)))
    assert len(outcomes) == 3
    for outcome in outcomes:
        assert isinstance(outcome, Failure)
        assert outcome.exit_code == 2
        assert outcome.message == (
            "design: only modes of patterned stacks are followed; sweep a uniform one point by point"
        )


def test_a_line_without_modes_and_one_without_proof(monkeypatch):
    tasks = tasks_of(holed(), [398.0, 399.0, 400.0], Poles(waves=13), window_nm=(850.0, 852.0))
    assert [outcome.status for outcome in following(PERIOD)(tasks)] == [Status.NO_MODES] * 3
    honest = follow_module.follow
    monkeypatch.setattr(
        follow_module, "follow", lambda *args, **options: replace(honest(*args, **options), proven=False)
    )
    assert [outcome.status for outcome in following(PERIOD)(tasks)] == [Status.INCOMPLETE] * 3
    near = tasks_of(holed(), [398.0, 399.0, 400.0], Poles(waves=13), window_nm=(600.0, 690.0))
    assert [outcome.status for outcome in following(PERIOD)(near)] == [Status.INCOMPLETE] * 3


def test_a_line_is_followed_at_its_own_wavevector():
    tasks = tasks_of(
        holed(), [398.0, 399.0, 400.0], Poles(waves=13), window_nm=(600.0, 640.0), bloch=(2e-4, 0.0)
    )
    followed, alone = following(PERIOD)(tasks)[1], tasks[1].run()
    assert followed.modes["wavelength_nm"] == pytest.approx(alone.modes["wavelength_nm"], rel=1e-6)


def test_a_broken_pool_says_what_to_do(monkeypatch):
    import concurrent.futures.process as pools

    class Broken:
        def __init__(self, *args, **options):
            pass

        def submit(self, *args):
            raise pools.BrokenProcessPool

        def shutdown(self, **options):
            assert options == {"wait": True, "cancel_futures": True}

    monkeypatch.setattr(pools, "ProcessPoolExecutor", Broken)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", Broken)
    with pytest.raises(SolverError) as caught:
        sweep(film(), [Axis(THICKNESS, (200.0, 201.0))], TOY, jobs=2)
    assert caught.value.status is Status.PARTIAL
    assert str(caught.value) == ("a worker process was ended from outside (out of memory?); use fewer --jobs")
