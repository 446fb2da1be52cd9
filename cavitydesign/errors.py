"""One small tree of errors. Each is one line (several complaints: one each) that names input, rule, value, way out.

The command line turns them into exit codes: 2 the input is wrong, 3 no trustworthy answer, 4 a component is missing.
"""

from __future__ import annotations

import copyreg
import enum
from collections.abc import Iterable
from typing import Any


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _plain(value: Any) -> Any:
    """numpy's numbers and arrays as Python's own, inside a list or tuple too: ``40.0``, not ``np.float64(40.0)``."""
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value


def _shown(value: object, *, limit: int = 60) -> str:
    try:
        text = _one_line(repr(_plain(value)))
    except ValueError:  # Python refuses to write out a whole number of thousands of digits
        text = f"a {type(value).__name__} too long to show"
    return text if len(text) <= limit else text[: limit - 1] + "…"


class CavityError(Exception):
    """Base of everything that cavitydesign raises on purpose. ``str()`` is one line."""

    exit_code = 1

    @property
    def lines(self) -> tuple[str, ...]:
        """What to tell a user, a line for each complaint."""
        return (str(self),)

    def __reduce__(self) -> tuple[Any, ...]:
        """As it is, so that it comes whole out of a process of its own."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class _NO_VALUE:  # noqa: N801 (a class, since that is the same one in every process)
    """No value was received."""


class InputError(CavityError):
    """The input is wrong: ``file: key: rule, got value``.

    Args:
        message: what rule the value breaks, and the way out where there is one.
        file: the file it stands in, when it came from one.
        key: the dotted key (``layers.2.thickness_nm``) or the argument's name.
        value: what was received.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, file: object = None, key: str | None = None, value: object = _NO_VALUE
    ):
        self.message, self.file, self.key, self.value = _one_line(message), file, key, value
        parts = [str(file)] if file is not None else []
        if key:
            parts.append(key)
        got = "" if value is _NO_VALUE else f", got {_shown(value)}"
        super().__init__(_one_line(": ".join([*parts, self.message + got])))

    @property
    def complaints(self) -> tuple[InputError, ...]:
        """Each thing that is wrong."""
        return (self,)

    def in_file(self, file: object) -> InputError:
        """The same error, naming the file that it came from (kept if it already names one)."""
        if self.file is not None:
            return self
        return InputError(self.message, file=file, key=self.key, value=self.value)

    def under(self, key: str) -> InputError:
        """The same error, with the key under which the value stands that is complained about."""
        where = f"{key}.{self.key}" if self.key else key
        return InputError(self.message, file=self.file, key=where, value=self.value)


class InputErrors(InputError):
    """Several things are wrong with one input. ``str()`` is one line: the first, and how many more there are."""

    def __init__(self, complaints: tuple[InputError, ...]):
        first = complaints[0]
        super().__init__(first.message, file=first.file, key=first.key, value=first.value)
        self._complaints = complaints
        self.args = (f"{first} (and {len(complaints) - 1} more)",)

    @property
    def complaints(self) -> tuple[InputError, ...]:
        """Each thing that is wrong."""
        return self._complaints

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each complaint."""
        return tuple(str(complaint) for complaint in self.complaints)

    def in_file(self, file: object) -> InputErrors:
        """The same errors, naming the file that they came from."""
        return InputErrors(tuple(complaint.in_file(file) for complaint in self.complaints))

    def under(self, key: str) -> InputErrors:
        """The same errors, under the key of the value that is complained about."""
        return InputErrors(tuple(complaint.under(key) for complaint in self.complaints))


def told_together(complaints: Iterable[InputError]) -> InputError:
    """One complaint as it is, several as one error."""
    each = [part for item in complaints for part in item.complaints]
    return each[0] if len(each) == 1 else InputErrors(tuple(each))


class Status(enum.Enum):
    """How a solver fared. The value is advice, in the options of the command line and so of the settings."""

    OK = "every mode in the window was found and its error bar met"
    NO_MODES = "no mode in the window; widen --window, or check that the slab guides at all"
    INCOMPLETE = "the independent count of poles and the modes found differ; raise --waves or narrow --window"
    UNCONVERGED = "an error bar is larger than asked for; raise --max-waves or loosen --tolerance"
    APPROXIMATE = "this method knows no error bar of its own; confirm with --solver poles or fdtd"
    PARTIAL = "interrupted; what was finished is kept"

    @classmethod
    def worst(cls, found: Iterable[Status]) -> Status:
        """Of several: one that must not be trusted, else one that is not OK."""
        return min(found, key=lambda status: (status.trustworthy, status is cls.OK), default=cls.OK)

    @property
    def trustworthy(self) -> bool:
        """Whether the table may be used as it stands, within the error bars it states."""
        return self in (Status.OK, Status.NO_MODES, Status.APPROXIMATE, Status.UNCONVERGED)


class SolverError(CavityError):
    """A solver could not give a trustworthy answer. ``status`` is a :class:`Status`."""

    exit_code = 3

    def __init__(self, message: str, *, status: Status | None = None):
        self.status = status
        super().__init__(_one_line(message))


class Unavailable(CavityError):
    """A component that is not installed, with the line that installs it."""

    exit_code = 4

    def __init__(self, component: str, *, why: str, install: str):
        self.component, self.why, self.install = component, _one_line(why), install
        super().__init__(_one_line(f"{component} is not available: {why}; install it with: {install}"))
