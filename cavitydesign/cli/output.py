"""What commands print: JSON, tables, footnotes, and progress on stderr."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cavitydesign.geometry.base import SourcedNumber
    from cavitydesign.geometry.design import Design

PATIENCE_S = 2.0
"""Progress is reported by what takes longer."""


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON document on stdout; NaN and infinities become null."""
    sys.stdout.write(json.dumps(clean(content), ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def clean(value: Any) -> Any:
    """Content as JSON can have it."""
    if isinstance(value, Mapping):
        return {str(name): clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if hasattr(value, "tolist"):
        return clean(value.tolist())
    if isinstance(value, complex):
        return [clean(value.real), clean(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def console(*, width: int | None = None) -> Console:
    """The console of stdout. Piped output keeps 120 columns, so that no table breaks."""
    from rich.console import Console

    found = Console(highlight=False, width=width)
    return found if found.is_terminal or width else Console(highlight=False, width=120)


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

    ``most`` is the largest number of decimals; an error that would not show with them is left out.
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if error is None or not math.isfinite(error) or error <= 0.0:
        return _plain(value, digits)
    places = max(0, 1 - math.floor(math.log10(error)))
    if places > most:
        return f"{value:.{most}f}"
    return f"{value:.{places}f} ± {error:.{places}f}"


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


def _plain(value: float, digits: int) -> str:
    return short(value, figures=4) if abs(value) >= 1e6 else f"{value:.{digits}f}"


def assumed_records(design: Design, *, optics_only: bool = False) -> list[dict[str, Any]]:
    """The inputs that nobody published, measured or fitted, as JSON has them."""
    return [record_of(item) for item in design.assumed() if not (optics_only and is_gain_input(item.path))]


def record_of(item: SourcedNumber) -> dict[str, Any]:
    """One sourced number as JSON has it."""
    return {
        "input": item.path,
        "value": item.value,
        "source": item.source,
        "plus_minus": item.plus_minus,
        "note": item.note,
    }


def is_gain_input(path: str) -> bool:
    """Whether a number belongs to the emitter or its pump rather than to the cavity."""
    return path.startswith(("emitter.", "pump."))


def footnote(assumed: Sequence[Mapping[str, Any]]) -> str:
    """The assumed inputs in a line or two."""
    if not assumed:
        return "No input was assumed."
    items = [
        f"{item['input']} = {item['value']:g}" + (f" ± {item['plus_minus']:g}" if item["plus_minus"] else "")
        for item in assumed
    ]
    return "Assumed inputs (not published, measured or fitted): " + ", ".join(items) + "."


class Progress:
    """Progress on stderr after :data:`PATIENCE_S`: a line that renews itself on a terminal, else one now and then."""

    def __init__(self, what: str):
        self.what, self.done, self.total = what, 0, 0
        self._start, self._over, self._shown = time.monotonic(), threading.Event(), False

    def __call__(self, done: int, total: int) -> None:
        """Report how many of how many are done."""
        self.done, self.total = done, total

    def __enter__(self) -> Progress:
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._shown and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def _tell(self) -> None:
        live = sys.stderr.isatty()
        wait = PATIENCE_S
        while not self._over.wait(wait):
            seconds = time.monotonic() - self._start
            count = f" {self.done} of {self.total}" if self.total else ""
            text = f"{self.what}:{count} after {seconds:.0f} s"
            with contextlib.suppress(OSError, ValueError):  # a closed stderr must not end the work
                sys.stderr.write(f"\r\x1b[2K{text}" if live else f"{text}\n")
                sys.stderr.flush()
            self._shown = True
            wait = 0.5 if live else max(5.0, 0.5 * seconds)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A :class:`Progress` around a piece of work."""
    with Progress(what) as shown:
        yield shown
