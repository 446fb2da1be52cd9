"""What a gain model is: how much the film amplifies at each wavelength, for what a pump pulse leaves in it.

A model may be written anywhere, in a notebook too. It derives from :class:`GainModel` and says two things: a window
of wavelengths and the gain within it::

    class Linear(GainModel):
        window_nm = (600.0, 700.0)

        def gain_per_cm(self, wavelengths_nm, filling):
            return 50.0 * (filling.pairs_per_shell - 1.0) + 0.0 * wavelengths_nm

    couple(modes, emitter, pump, model=lambda emitter: Linear())

``couple`` asks for a model once for every emitter, those with one input moved by its error among them; a model that
reads its numbers from the emitter so takes part in the errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.gain.pump import Pumping
from cavitydesign.gain.rates import Filling
from cavitydesign.kinds import Array

if TYPE_CHECKING:
    from cavitydesign.geometry.emitter import Emitter


TRANSITIONS = ("X", "XX", "MX")
"""The labels of a line, by what emits, in the order of every array of shares:

``X``   exciton: the last pair of a shell recombines (1 → 0), between 1S states
``XX``  biexciton: one of two pairs recombines (2 → 1), between 1S states
``MX``  multiexciton: a shell with three pairs or more loses one, between 1S or 1P states
"""


class GainModel(Protocol):
    """Material gain of a film; a model derives from it and gives the first two, and of the rest what it knows.

    Attributes:
        window_nm: wavelengths (shorter, longer) between which the model says something; it is asked for no other.
        given_pairs: ⟨N⟩ to be taken as the threshold wherever there is gain, in place of a search; None searches.
    """

    window_nm: tuple[float, float]
    given_pairs: float | None = None

    def gain_per_cm(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """Gain in cm⁻¹ of power, negative where the film absorbs.

        Args:
            wavelengths_nm: of a shape W that broadcasts with that of the filling: (M,) with (M,) asks at one level for
                each wavelength, (M, 1) with (L,) at all levels for each.
            filling: at levels of shape S.

        Returns:
            The gain, of the shape that W and S broadcast to.
        """
        ...

    def shares(self, wavelengths_nm: Array, filling: Filling) -> Array:
        """Share of each of :data:`TRANSITIONS` in the stimulated emission, shapes as above, + (3,).

        A model that tells no transitions apart gives zeros, and its lines have no label.
        """
        shape = np.broadcast_shapes(np.shape(wavelengths_nm), np.shape(filling.pairs_per_shell))
        return np.zeros((*shape, len(TRANSITIONS)))

    def levels(self, pumping: Pumping) -> Array:
        """Levels (L,) between which a threshold is looked for, in pairs created per shell, rising.

        The gain must be continuous between them. A model that starts above 0, such as a table, has nothing to say
        below: what is reached at its first level already is an upper bound. A level that cannot be named is NaN.
        """
        return pumping.occupation.created


ModelOf = Callable[["Emitter"], GainModel]
"""Makes the model of an emitter."""

_CLAIMS: list[Callable[[Emitter], GainModel | None]] = []


def register(claim: Callable[[Emitter], GainModel | None]) -> Callable[[Emitter], GainModel | None]:
    """Decorator: ``claim(emitter)`` gives the model of an emitter that is its own, and None of any other."""
    _CLAIMS.append(claim)
    return claim


def maker_of(model: ModelOf | GainModel) -> ModelOf:
    """What makes the model of an emitter; of a model, that model whatever the emitter.

    Raises:
        InputError: it is neither; and when it is called: what it makes is no model.
    """
    given: Any = model
    if hasattr(given, "gain_per_cm") and not isinstance(given, type):
        return lambda _: _checked(given)
    if not callable(given):
        raise InputError("must be a gain model, or make one of an emitter", key="model", value=given)
    return lambda emitter: _checked(given(emitter))


def _checked(model: Any) -> GainModel:
    says = getattr(model, "gain_per_cm", None)
    if not callable(says) or getattr(says, "__func__", says) is GainModel.gain_per_cm:
        kind = type(model).__name__
        raise InputError(f"a gain model needs a method gain_per_cm; {kind} has none", key="model")
    window = np.asarray(getattr(model, "window_nm", ()))
    if window.shape != (2,) or window.dtype.kind not in "iuf" or not 0.0 <= window[0] < window[1]:
        rule = "a gain model needs its window as (shorter, longer) wavelength in nm"
        raise InputError(rule, key="model.window_nm", value=getattr(model, "window_nm", None))
    return model


def model_of(emitter: Emitter) -> GainModel:
    """The model that an emitter asks for."""
    for claim in _CLAIMS:
        found = claim(emitter)
        if found is not None:
            return found
    raise InputError("no gain model knows this emitter; pass one by model=", key="emitter")
