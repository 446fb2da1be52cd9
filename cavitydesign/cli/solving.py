"""The options of every command that solves, made from the solvers' own settings.

A command says where the question goes, and gets the options of all solvers in its place; --explain, --plot and --json
in that of the answer::

    @solving()
    def modes(design: options.DesignFile, question: Question, answer: Answer) -> None: ...

Nothing here names a solver: an option is a field of its settings (``solvers.ask.option``).
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, dataclass, fields
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from cavitydesign.cli import options
from cavitydesign.cli.options import Answer
from cavitydesign.errors import InputError, told_together
from cavitydesign.geometry.base import validated
from cavitydesign.geometry.design import Device
from cavitydesign.solvers import known
from cavitydesign.solvers.ask import Solver


def _angle(degrees: float) -> float:
    if not abs(degrees) < 90.0:
        raise InputError("must be between -90 and 90 degrees", key="--angle", value=degrees)
    return degrees


def _device(text: str) -> Device:
    try:
        return validated(Device, {"periods": options.whole(text, "--periods")})
    except InputError as error:
        raise InputError(error.message, key="--periods", value=text) from None


class _Asked(NamedTuple):
    """What is asked beside the solver's settings: its option, which part of the Ask it is, its type and its value."""

    option: str
    part: str
    annotation: Any
    read: Callable[[Any], Any]


_ASKED = {
    "window": _Asked("--window", "window_nm", options.Window, options.window_of),
    "bloch": _Asked("--bloch", "bloch", options.Bloch, partial(options.numbers, key="--bloch", count=2)),
    "angle": _Asked("--angle", "angle_deg", options.Angle, _angle),
    "periods": _Asked("--periods", "device", options.Periods, _device),
    "infinite": _Asked("--infinite", "device", options.Infinite, lambda _: None),
}


@dataclass(frozen=True)
class Question:
    """What the options of a command ask for.

    Attributes:
        solvers: the solvers that are asked; the first is the one of ``settings``.
        given: the solvers' options that were given, by name.
        asked: window, wavevector, angle and device, as ``solve`` takes them; only what was given.
        said: the option that gave each of them.
    """

    solvers: tuple[str, ...]
    given: Mapping[str, Any]
    asked: Mapping[str, Any]
    said: Mapping[str, str]

    @property
    def settings(self) -> Solver:
        """Settings of the (first) solver."""
        return self.settings_of(self.solvers[0])

    def settings_of(self, name: str) -> Solver:
        """Settings of one of the solvers."""
        return _made(known()[name], self.given)

    @contextmanager
    def about(self, file: Path) -> Iterator[None]:
        """What is complained about inside names the option where one was wrong, else the design's file."""
        try:
            yield
        except InputError as error:
            raise told_together(self._placed(item, file) for item in error.complaints) from None

    def _placed(self, error: InputError, file: Path) -> InputError:
        key = error.key or ""
        option = key if key.startswith("--") else self.said.get(key.partition(".")[0])
        return _renamed(error, option) if option and error.file is None else error.in_file(file)


def solving(
    *together: str, offered: tuple[str, ...] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose parameter ``question`` stands for the options of all solvers, or of those that work together.

    ``offered`` are the solvers to choose from, where not all can give what the command wants.
    Its parameter ``answer``, where it has one, stands for those of :class:`Answer`.
    """

    def extend(command: Callable[..., None]) -> Callable[..., None]:
        chosen = {name: known()[name] for name in together or offered} or known()
        stands_for = {"question": _parameters(chosen, with_choice=not together), "answer": _ANSWER}
        own = dict(inspect.signature(command, eval_str=True).parameters)
        answers = [own.pop("answer")] if "answer" in own else []  # its options are the last in the help
        signature = [
            item.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in [*own.values(), *answers]
            for item in stands_for.get(parameter.name, [parameter])
        ]

        @wraps(command)
        def run(**values: Any) -> None:
            given = {item.name: values.pop(item.name) for item in stands_for["question"]}
            asked = together or (given.pop("solver").value,)
            values["question"] = _question(asked, chosen, given)
            if answers:
                values["answer"] = Answer(**{item.name: values.pop(item.name) for item in _ANSWER})
                options.writable(values["answer"].plot, "--plot", suffixes=options.FIGURES)
            command(**values)

        run.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
        return run

    return extend


def options_of(kind: type[Solver]) -> dict[str, tuple[Field[Any], Any]]:
    """Options of a solver: its fields with their types, by the option's name; nested settings bring their own."""
    hints, found = typing.get_type_hints(kind), {}
    for item in fields(typing.cast(Any, kind)):
        hint = _without_none(hints[item.name])
        if isinstance(hint, type) and issubclass(hint, Solver):
            found |= options_of(hint)
        elif "option" in item.metadata:
            found[item.metadata["option"]] = (item, hint)
    return found


def _question(
    solvers: tuple[str, ...], chosen: Mapping[str, type[Solver]], values: Mapping[str, Any]
) -> Question:
    """The question of the values given; an option that none of the solvers takes is an error."""
    values = {name: value for name, value in values.items() if value is not None}
    by_parameter = {_parameter_name(name): name for kind in chosen.values() for name in options_of(kind)}
    given = {by_parameter[name]: value for name, value in values.items() if name in by_parameter}
    for name, value in given.items():
        _refuse_unless_taken(name, value, solvers, [n for n, k in chosen.items() if name in options_of(k)])
    parts = {name: item for name, item in _ASKED.items() if name in values}
    for name, item in parts.items():
        if name not in ("window", "infinite"):
            takers = [solver for solver, kind in chosen.items() if item.part in kind.asks]
            _refuse_unless_taken(item.option, values[name], solvers, takers)
    if {"periods", "infinite"} <= set(parts):
        raise InputError("says the opposite of --infinite; give one of them", key="--periods")
    asked = {item.part: item.read(values[name]) for name, item in parts.items()}
    question = Question(solvers, given, asked, {item.part: item.option for item in parts.values()})
    for name in solvers:
        question.settings_of(name)  # what is wrong with them is said before any work
    return question


def _refuse_unless_taken(option: str, value: Any, solvers: tuple[str, ...], takers: list[str]) -> None:
    if not set(solvers) & set(takers):
        raise InputError(f"is for --solver {' or '.join(takers)}", key=option, value=value)


def _made(kind: type[Solver], given: Mapping[str, Any]) -> Solver:
    """Settings of a solver from options, nested settings too; a complaint about a field names its option."""
    hints, chosen = typing.get_type_hints(kind), {}
    for item in fields(typing.cast(Any, kind)):
        hint, name = _without_none(hints[item.name]), item.metadata.get("option")
        if isinstance(hint, type) and issubclass(hint, Solver):
            chosen[item.name] = _made(hint, given)
        elif name is not None and name in given:
            chosen[item.name] = _value(hint, given[name], name)
    try:
        return kind(**chosen)
    except InputError as error:
        by_field = {item.name: name for name, (item, _) in options_of(kind).items()}
        raise _renamed(error, by_field.get(error.key or "", error.key)) from None


def _renamed(error: InputError, key: str | None) -> InputError:
    return InputError(error.message, key=key, value=error.value)


def _value(hint: Any, value: Any, name: str) -> Any:
    """What was given for an option, as the type of its field."""
    if typing.get_origin(hint) is tuple:
        kind = typing.get_args(hint)[0]
        if kind is str:
            return tuple(part.strip() for part in value.split(","))
        return (options.whole if kind is int else options.numbers)(value, name)
    if typing.get_origin(hint) is Literal and value not in typing.get_args(hint):
        raise InputError(f"must be {' or '.join(map(str, typing.get_args(hint)))}", key=name, value=value)
    return value


def _parameters(chosen: Mapping[str, type[Solver]], *, with_choice: bool) -> list[inspect.Parameter]:
    """The parameters of a command that asks one of these solvers (or, without the choice, all of them)."""
    found = []
    if with_choice:
        names: Any = enum.StrEnum("SolverName", {name.upper(): name for name in chosen})
        choice = Annotated[names, typer.Option("--solver", help="How modes are found.")]
        found.append(_parameter("solver", choice, names("poles")))
    looked = any if with_choice else all  # of several that work together all must look at what is asked
    for name, item in _ASKED.items():
        always = name == "window" or (with_choice and name == "infinite")
        if always or looked(item.part in kind.asks for kind in chosen.values()):
            found.append(_parameter(name, item.annotation, None))
    offered: dict[str, dict[str, tuple[Field[Any], Any]]] = {}
    for solver, kind in chosen.items():
        for name, of_field in options_of(kind).items():
            offered.setdefault(name, {})[solver] = of_field
    return found + [
        _parameter(_parameter_name(name), _annotation(name, by_solver), None)
        for name, by_solver in offered.items()
    ]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


_ANSWER = [
    _parameter("explain", options.Explain, False),
    _parameter("plot", options.Plot, None),
    _parameter("json", options.Json, False),
]
"""What ``answer`` stands for in the signature of a command."""


def _parameter_name(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _annotation(name: str, by_solver: Mapping[str, tuple[Field[Any], Any]]) -> Any:
    """An option as typer wants it. Its help says which solvers take it, and what each makes of it."""
    kinds = {hint if hint in (bool, int, float) else str for _, hint in by_solver.values()}
    if len(kinds) != 1:
        raise TypeError(f"solvers disagree about the type of {name}: {', '.join(by_solver)}")
    (kind,) = kinds
    said, defaults = _joined(by_solver, lambda item: item.metadata["help"]), _joined(by_solver, _default)
    text = " ".join(f"{takers}: {words}" for words, takers in said.items())
    several = ", ".join(f"{value} ({takers})" for value, takers in defaults.items() if value)
    shown = (next(iter(defaults)) if len(defaults) == 1 else several) or False
    metavar = next((item.metadata["metavar"] for item, _ in by_solver.values()), "") or None
    return Annotated[kind | None, typer.Option(name, help=text, metavar=metavar, show_default=shown)]


def _joined(
    by_solver: Mapping[str, tuple[Field[Any], Any]], of: Callable[[Field[Any]], str]
) -> dict[str, str]:
    """What solvers have to say of an option → the names of those that say it."""
    found: dict[str, list[str]] = {}
    for solver, (item, _) in by_solver.items():
        found.setdefault(of(item), []).append(solver)
    return {text: ", ".join(solvers) for text, solvers in found.items()}


def _default(item: Field[Any]) -> str:
    """A default as it would be written on the command line; "" where there is none to show."""
    if item.default in (MISSING, None, False):
        return ""
    parts = item.default if isinstance(item.default, tuple) else (item.default,)
    return ",".join(f"{part:g}" if isinstance(part, float) else str(part) for part in parts)


def _without_none(hint: Any) -> Any:
    """``int | None`` as int."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else hint
    return hint
