"""Commands that are imported when they are run, and the way from exceptions to exit codes and lines on stderr."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup

DEFECT = 1
INTERRUPTED = 130


class Leave(Exception):
    """Leave with an exit code and one line on stderr, after what has been printed."""

    def __init__(self, code: int, message: str):
        self.code = code
        super().__init__(message)


class Lazy(Mapping[str, Any]):
    """Commands by name; the module of one is imported when it is looked up."""

    def __init__(self, places: Mapping[str, tuple[str, str]]):
        self.places = places

    def __getitem__(self, name: str) -> Any:
        module, _, function = self.places[name][0].partition(":")
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(getattr(importlib.import_module(module), function))
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


class _Completion(NamedTuple):
    """What a shell may complete to, as typer's shells read it (whichever click it brings)."""

    value: str
    help: str
    type: str = "plain"


class OneLineErrors(TyperGroup):
    """The group of all commands: whatever goes wrong ends in a line on stderr and an exit code.

    Attributes:
        places: name of each command → (module:function, what it does in short), in the order of the help.
    """

    places: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, **attributes: Any):
        super().__init__(**attributes)
        self.commands: Any = Lazy(self.places)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (typer calls it)
        """The commands with what they do in short; none is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.places.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Names of commands, and the group's own options; no command is imported for it."""
        found = [
            _Completion(name, text) for name, (_, text) in self.places.items() if name.startswith(incomplete)
        ]
        return [*found, *super(TyperGroup, self).shell_complete(ctx, incomplete)]

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an interrupt says what was kept, if its raiser knows."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            kept = " ".join(str(stopped).split()).removeprefix("interrupted: ") or "nothing was kept"
            raise Leave(INTERRUPTED, f"interrupted; {kept}") from None

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run; in standalone mode leave with the exit code."""
        run = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        code, message = guarded(lambda: run(*args, standalone_mode=False, **extra))
        if message:
            typer.echo(message, err=True)
        sys.exit(code)


def guarded(run: Callable[[], Any]) -> tuple[int, str]:
    """Run a command; its exit code, and the lines for stderr: one for each complaint."""
    from cavitydesign.errors import CavityError

    try:
        result = run()
        sys.stdout.flush()
    except Leave as left:
        return left.code, str(left)
    except CavityError as error:
        return error.exit_code, "\n".join(error.lines)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED, "interrupted; nothing was kept"
    except BrokenPipeError:  # the reader of a pipe left (`| head`); Python must not complain about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0, ""
    except OSError as error:
        where = error.filename or "a file"
        return 2, f"{where}: cannot be used: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 (the last door: what is left is a defect, told in one line)
        if is_usage_error(error):
            return 2, usage_line(error)
        return DEFECT, _defect_line(error)
    if result == INTERRUPTED:
        return INTERRUPTED, "interrupted; nothing was kept"
    return (result if isinstance(result, int) else 0), ""


def is_usage_error(error: Exception) -> bool:
    """Whether the command line itself was wrong (typer's own errors, whichever click it brings)."""
    return callable(getattr(error, "format_message", None)) and isinstance(
        getattr(error, "exit_code", None), int
    )


def usage_line(error: Any) -> str:
    """One line: what is wrong, and where help is."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "cavitydesign"
    if type(error).__name__ == "NoArgsIsHelpError":
        return error.format_message()
    text = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    return f"{text}; see {command} --help"


def _defect_line(error: Exception) -> str:
    """A defect of ours: one line that names the place; the whole trace on request."""
    if os.environ.get("CAVITYDESIGN_TRACEBACK"):
        raise error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    text = " ".join(f"{type(error).__name__}: {error}".split())
    report = "please report it with what CAVITYDESIGN_TRACEBACK=1 shows"
    return f"defect of cavitydesign at {place}: {text}; {report}"
