"""The options of a solver: made from its settings, the same in every command, never silently left out."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest
import typer

from cavitydesign.cli import Commands, solving
from cavitydesign.cli.group import Lazy
from cavitydesign.cli.solving import Question, options_of
from cavitydesign.errors import InputError, InputErrors, Status
from cavitydesign.geometry.design import Device
from cavitydesign.solvers import known
from cavitydesign.solvers.ask import Solver, option
from cavitydesign.solvers.fdtd import Fdtd
from cavitydesign.solvers.finite import Finite
from cavitydesign.solvers.poles import Poles
from tests.cli.running import LAYOUTS, command

SOLVING = ("modes", "predict", "sweep", "compare", "calibrate", "sensitivity")


def options_in_help(name):
    """Options of a command, as its help lists them."""
    return set(re.findall(r"^ +(?:-h, )?(--[a-z-]+)", command(name, "--help").out, re.MULTILINE))


@pytest.mark.parametrize("name", SOLVING)
def test_every_command_that_solves_takes_every_option_of_every_solver(name):
    offered = {"poles"} if name == "sensitivity" else known()  # whose modes have derivatives
    wanted = {option for solver in offered for option in options_of(known()[solver])}
    asked = {"--solver", "--window", "--bloch", "--angle", "--infinite"}
    assert {"--max-waves", "--tolerance"} <= wanted
    assert wanted | asked <= options_in_help(name)
    assert {"--orders", "--periods"} & options_in_help(name) == (
        set() if len(offered) == 1 else {"--orders", "--periods"}
    )


def test_verify_takes_the_options_of_both_its_solvers():
    both = set(options_of(known()["poles"])) | set(options_of(known()["fdtd"]))
    assert both | {"--window"} <= options_in_help("verify")
    assert {"--resolution", "--ranks", "--max-waves"} <= both
    assert "--bloch" in options_in_help("verify"), "both look at it"
    assert not {"--solver", "--periods", "--infinite", "--angle"} & options_in_help("verify")


@pytest.mark.parametrize("name", [*SOLVING, "verify"])
@pytest.mark.parametrize("status", list(Status), ids=lambda status: status.name)
def test_what_a_status_advises_is_an_option(name, status):
    advised = set(re.findall(r"--[a-z-]+", status.value))
    assert "`" not in status.value, "names nothing that only Python knows"
    missing = advised - options_in_help(name)
    assert missing <= ({"--solver"} if name == "verify" else set())


def question(*arguments, together=()):
    """What a command of its own would be asked with these options."""
    asked = []

    @solving.solving(*together)
    def probe(question: Question) -> None:
        asked.append(question)

    alone = typer.Typer(add_completion=False)
    alone.command()(probe)
    alone([*map(str, arguments)], standalone_mode=False)
    return asked[0]


def test_options_become_settings_and_question():
    found = question("--tolerance", "0.5", "--max-waves", "81", "--exact-threshold", "--window", "560:700")
    assert found.settings == Poles(tolerance_nm=0.5, max_waves=81, exact_threshold=True)
    assert found.asked == {"window_nm": (560.0, 700.0)}
    assert question("--bloch", "0.001,-0.002").asked == {"bloch": (0.001, -0.002)}
    assert question("--angle", "20").asked == {"angle_deg": 20.0}
    assert question("--solver", "fdtd", "--resolution", "40,60", "--ranks", "2").settings == Fdtd(
        pixels_per_um=(40.0, 60.0), ranks=2
    )
    found = question("--solver", "fdtd", "--q-min", "30", "--at-once", "2", "--time-limit", "60").settings
    assert (found.q_min, found.at_once, found.time_limit_s) == (30.0, 2, 60.0)
    assert question().settings == Poles()
    assert question().asked == {}


def test_nested_settings_bring_their_options():
    found = question("--solver", "finite", "--waves", "49", "--periods", "17,19")
    assert found.settings == Finite(poles=Poles(waves=49))
    assert found.asked == {"device": Device(periods=(17, 19))}
    assert question("--solver", "finite", "--infinite").asked == {"device": None}


def test_solvers_that_work_together_share_what_both_take():
    found = question("--max-waves", "49", together=("poles", "finite"))
    assert found.settings_of("poles") == Poles(max_waves=49)
    assert found.settings_of("finite") == Finite(poles=Poles(max_waves=49))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--solver", "bragg", "--max-waves", "9"), ["--max-waves", "finite or poles", "9"]),
        (("--orders", "2"), ["--orders", "bragg"]),
        (("--periods", "3,3"), ["--periods", "fdtd or finite"]),
        (("--solver", "bragg", "--bloch", "0,0"), ["--bloch", "fdtd or poles"]),
        (("--solver", "fdtd", "--angle", "3"), ["--angle", "poles"]),
        (("--solver", "finite", "--periods", "3,3", "--infinite"), ["--periods", "--infinite"]),
        (("--solver", "finite", "--periods", "3,3,3"), ["--periods", "3,3,3"]),
        (("--solver", "finite", "--periods", "0,3"), ["--periods", "at least 1"]),
        (("--max-waves", "0"), ["--max-waves", "> 0"]),
        (("--q-tolerance", "nan"), ["--q-tolerance"]),
    ],
)
def test_an_option_that_is_not_taken_or_wrong_is_named(arguments, words):
    with pytest.raises(InputError) as told:
        question(*arguments)
    for word in words:
        assert word in str(told.value)


def test_what_a_solver_says_about_an_option_names_the_option():
    ran = command("modes", LAYOUTS / "pcsel.toml", "--solver", "finite", "--periods", "2,2")
    assert ran.code == 2
    assert ran.one_line().startswith("--periods: ")
    ran = command("modes", LAYOUTS / "pcsel.toml", "--angle", "20")
    assert ran.one_line().startswith("--angle: ")


@dataclass(frozen=True)
class Toy(Solver):
    """Settings with a field of every kind."""

    name: ClassVar[str] = "toy"
    version: ClassVar[int] = 1

    steps: tuple[int, ...] = option((1, 2), "Steps.", name="--steps", metavar="N,…")
    sizes: tuple[float, ...] | None = option(None, "Sizes.", name="--sizes")
    classes: tuple[str, ...] | None = option(None, "Classes.", name="--classes")
    way: Literal["there", "back"] = option("there", "Way.", name="--way")
    within: float = option(0.25, "Error.", name="--tolerance")
    inner: int = 3


@pytest.fixture
def toys(monkeypatch):
    shipped = known()
    monkeypatch.setattr(solving, "known", lambda: {**shipped, "toy": Toy})


@pytest.mark.usefixtures("toys")
def test_a_new_solver_has_its_options_without_another_line():
    given = ("--steps", "4,5", "--sizes", "0.5,1", "--classes", "++,--", "--way", "back", "--tolerance", "2")
    assert question("--solver", "toy", *given).settings == Toy((4, 5), (0.5, 1.0), ("++", "--"), "back", 2.0)
    with pytest.raises(InputError, match="--way: must be there or back"):
        question("--solver", "toy", "--way", "up")
    with pytest.raises(InputError, match="--steps: is for --solver toy"):
        question("--steps", "4")


@pytest.mark.usefixtures("toys")
def test_help_says_who_takes_an_option_and_what_is_its_default():
    @solving.solving()
    def probe(question: Question) -> None: ...

    (told,) = inspect.signature(probe).parameters["tolerance"].annotation.__metadata__
    assert "finite, poles: Numerical error of λ to reach." in told.help
    assert "toy: Error." in told.help
    assert told.show_default == "0.01 (finite, poles), 0.25 (toy)"
    (told,) = inspect.signature(probe).parameters["steps"].annotation.__metadata__
    assert (told.metavar, told.show_default) == ("N,…", "1,2")


def test_solvers_that_disagree_about_a_type_are_a_defect(monkeypatch):
    @dataclass(frozen=True)
    class Other(Solver):
        name: ClassVar[str] = "other"
        version: ClassVar[int] = 1
        waves: str = option("", "Waves.", name="--waves")

    shipped = known()
    monkeypatch.setattr(solving, "known", lambda: {**shipped, "other": Other})
    with pytest.raises(TypeError, match="--waves"):
        solving.solving()(lambda question: None)


def test_commands_are_imported_when_they_are_looked_up():
    commands = Lazy(Commands.places)
    assert list(commands) == list(Commands.places)
    assert "nonsense" not in commands
    for name in commands:
        assert commands[name].name == name


def test_each_of_several_complaints_names_its_own_place(tmp_path):
    asked = question("--solver", "finite", "--periods", "3,3")
    told = InputErrors(
        (
            InputError("a", key="device.periods", value=1),
            InputError("b", key="film.n"),
            InputError("c", key="--jobs"),
        )
    )
    with pytest.raises(InputErrors) as caught, asked.about(tmp_path / "x.toml"):
        raise told
    assert caught.value.lines == ("--periods: a, got 1", f"{tmp_path / 'x.toml'}: film.n: b", "--jobs: c")
    with pytest.raises(InputError) as caught, asked.about(tmp_path / "x.toml"):
        raise InputError("d", key="device.periods", file="y.csv")
    assert str(caught.value) == "y.csv: device.periods: d", "another file's keys are its own"
