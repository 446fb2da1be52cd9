"""What commands print: JSON, tables, footnotes, and progress on stderr."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from cavitydesign.errors import Status
from cavitydesign.files import json_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cavitydesign.geometry.design import Design
    from cavitydesign.solvers.solution import Solution

PATIENCE_S = 2.0
"""Progress is reported by what takes longer."""

ERROR_BARS = "± is the error of numerics only; in uniform stacks also that of index tables."
"""What the errors of a table of modes cover."""

MOST_FOOTNOTES = 3
"""Assumed inputs named below a table; ``--explain`` lists them all."""


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON document on stdout; NaN and infinities become null."""
    sys.stdout.write(json_text(content))


def console(*, width: int | None = None, file: IO[str] | None = None) -> Console:
    """The console of stdout. Piped output keeps 120 columns, so that no table breaks. Nothing is read as markup."""
    from rich.console import Console

    made = functools.partial(Console, highlight=False, markup=False, emoji=False, file=file)
    found = made(width=width)
    return found if found.is_terminal or width else made(width=120)


def heading(screen: Console, text: str) -> None:
    """A bold line above a table; a table's own title would break at the table's width."""
    screen.print()
    screen.print(text, style="bold", soft_wrap=True)


def table(*columns: str, left: Sequence[str] = ()) -> Table:
    """A table whose columns are right aligned, except those named in ``left``."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="left" if column in left else "right", no_wrap=column not in left)
    return made


def figure(value: float | None, error: float | None = None, *, digits: int = 2, most: int = 4) -> str:
    """A number with its error, both to the error's second figure: ``633.42 ± 0.11``; "-" where it is not known.

    Without an error: ``digits`` decimals, and two figures at least. ``most`` is the largest number of decimals beside
    an error; one that would not show with them is left out.
    """
    if value is None or not math.isfinite(value):
        return short(value)
    power = math.floor(math.log10(abs(value))) if value else 0
    if error is None or not math.isfinite(error) or error <= 0.0:
        plain = -5 < power < 6
        return f"{value:.{max(digits, 1 - power)}f}" if plain else short(value, figures=4)
    if power < -4:
        return f"{short(value)} ± {short(error, figures=2)}"
    places, most = max(0, 1 - math.floor(math.log10(error))), max(most, 2 - power)
    if places > most:
        return f"{value:.{most}f}"
    return f"{value:.{places}f} ± {error:.{places}f}"


def q_figure(q: float | None, error: float | None = None) -> str:
    """A Q with its error, to five figures at most: "∞" where nothing can be lost, "-" where it is not known."""
    if q is None or not math.isfinite(q) or error is None or not error > 1e-4 * abs(q):
        return short(q, figures=5)
    return figure(q, error)


def dark_text(dark: bool | None) -> str:
    """Whether a mode is dark, in a column: "dark", "", or "?" where it is not known."""
    return "?" if dark is None else "dark" if dark else ""


def short(value: float | None, *, figures: int = 3) -> str:
    """A number to a few significant figures, never with an exponent below a million."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0.0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if power >= 6 or power < -4:
        return f"{value:.{figures - 1}e}"
    return f"{value:,.{max(0, figures - 1 - power)}f}".replace(",", " ")


def named(design: Design) -> dict[str, str]:
    """A design as every JSON document names it."""
    return {"name": design.name, "id": design.id}


def input_records(design: Design, *, optics_only: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The inputs that nobody published or measured, as JSON has them: "assumed" and "fitted" ones."""
    both = {"assumed": design.assumed(), "fitted": design.fitted()}
    return {
        name: [item.record() for item in found if not (optics_only and is_gain_input(item.path))]
        for name, found in both.items()
    }


def is_gain_input(path: str) -> bool:
    """Whether a number belongs to the emitter or its pump rather than to the cavity."""
    return path.startswith(("emitter.", "pump."))


def tell_solutions(screen: Console, *solutions: Solution) -> None:
    """How the solver fared, and what it has to say; what several solutions share, once."""
    said = [f"Status: {found.status.value}." for found in solutions]
    said += [f"Note: {warning}" for found in solutions for warning in found.warnings]
    for text in dict.fromkeys(said):
        screen.print(text)


def tell_defaults(screen: Console, missing: Sequence[str]) -> None:
    """Tables that the design leaves out."""
    for name in missing:
        screen.print(f"Note: the design has no [{name}]; its defaults stand in (see the assumed inputs).")


def status_record(*solutions: Solution) -> dict[str, Any]:
    """The same as JSON has it; of several solutions the worst status."""
    worst = Status.worst(found.status for found in solutions)
    warnings = dict.fromkeys(warning for found in solutions for warning in found.warnings)
    return {"status": worst.name.lower(), "advice": worst.value, "warnings": list(warnings)}


def tell_inputs(
    screen: Console,
    design: Design,
    *,
    explain: bool,
    optics_only: bool = False,
    share: Mapping[str, float] | None = None,
) -> None:
    """The assumed inputs, those that matter most in a line or two, or all with where they come from; the fitted ones.

    Args:
        screen: where to print.
        design: whose inputs they are.
        explain: whether to list all assumed ones.
        optics_only: whether to leave out those of emitter and pump.
        share: of each input in the error of what was computed; without one they are judged by their relative ±.
    """
    records = input_records(design, optics_only=optics_only)
    tell_assumed(screen, records["assumed"], explain=explain, share=share)
    if records["fitted"]:
        items = ", ".join(
            f"{item['input']} = {_with_error(item)} ({item['note']})" for item in records["fitted"]
        )
        screen.print(f"Fitted inputs: {items}.", style="dim")


def tell_assumed(
    screen: Console,
    assumed: Sequence[Mapping[str, Any]],
    *,
    explain: bool,
    share: Mapping[str, float] | None = None,
) -> None:
    """The records of the assumed inputs alone; the rest as :func:`tell_inputs`."""
    if not assumed:
        screen.print("No input was assumed.", style="dim")
        return
    ranked = sorted(
        assumed, key=lambda item: _relative(item) if share is None else share.get(item["input"], 0.0),
        reverse=True,
    )  # fmt: skip
    if explain:
        heading(screen, "Assumed inputs (not published, measured or fitted)")
        listed = table("input", "value", "source", "note", left=("input", "source", "note"))
        for item in ranked:
            listed.add_row(item["input"], _with_error(item), item["source"], item["note"] or "-")
        screen.print(listed)
        return
    text = ", ".join(f"{item['input']} = {_with_error(item)}" for item in ranked[:MOST_FOOTNOTES])
    more = f", and {len(ranked) - MOST_FOOTNOTES} more; --explain lists them" * (len(ranked) > MOST_FOOTNOTES)
    screen.print(f"Assumed inputs (not published, measured or fitted): {text}{more}.", style="dim")


def _with_error(item: Mapping[str, Any]) -> str:
    return f"{item['value']:g}" + (f" ± {item['plus_minus']:g}" if item["plus_minus"] else "")


def _relative(item: Mapping[str, Any]) -> float:
    error, value = item["plus_minus"] or 0.0, abs(item["value"])
    return error / value if value else (math.inf if error else 0.0)


class Reporter:
    """Progress on stderr after :data:`PATIENCE_S`: a bar on a terminal, else a line now and then; both with time left.

    It is called as the solvers call their ``progress``: how much of how much is done (0: not known), and at what.
    """

    def __init__(self, what: str):
        self.what, self.said, self.done, self.total = what, what, 0.0, 0.0
        self._start = self._begun = time.monotonic()
        self._bar: Any = None
        self._next = math.inf  # when the next line is due

    def __call__(self, done: float, total: float, what: str = "") -> None:
        """Take note, and tell when it is time."""
        if total != self.total or done < self.done:  # another piece of work
            self._begun = time.monotonic()
        self.done, self.total = done, total
        self.said = " ".join(f"{self.what}: {what}".split()) if what else self.what
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total or None, what=self.said)
        elif time.monotonic() >= self._next:
            self._line()

    def begin(self) -> None:
        """Patience is over: show the bar, or write the first line."""
        with contextlib.suppress(OSError, ValueError):  # a closed stderr must not end the work
            if sys.stderr.isatty():
                self._bar = _bar()
                self._bar.add_task("", completed=self.done, total=self.total or None, what=self.said)
                self._bar.start()
            else:
                self._line()

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _line(self) -> None:
        now = time.monotonic()
        count = f" {round(self.done, 1):g} of {self.total:g}" if self.total else ""
        left = ""
        if self.total and self.done:
            left = f", about {(now - self._begun) * (self.total - self.done) / self.done:.0f} s left"
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{self.said}:{count} after {now - self._start:.0f} s{left}\n")
            sys.stderr.flush()
        self._next = now + max(5.0, 0.5 * (now - self._start))


@contextlib.contextmanager
def progress(what: str) -> Iterator[Reporter]:
    """A :class:`Reporter` around a piece of work."""
    shown = Reporter(what)
    timer = threading.Timer(PATIENCE_S, shown.begin)
    timer.daemon = True
    timer.start()
    try:
        yield shown
    finally:
        timer.cancel()
        timer.join()
        shown.end()


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.fields[what]}", markup=False), BarColumn(), TimeElapsedColumn(),
        TextColumn("left", markup=False), TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, emoji=False), transient=True,
    )  # fmt: skip
