"""Any emitter and pump gives lines or one InputError: no traceback, no warning, no NaN in JSON."""

import json
import math

import hypothesis
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.gain import LineStatus, couple
from cavitydesign.geometry import Emitter, Pump
from cavitydesign.geometry.base import validated
from cavitydesign.geometry.emitter import QUASI_CW_NS
from cavitydesign.solvers.solution import Modes

# Numbers of the right kind and of any size, as after a mistyped unit.
ANY = st.one_of(st.floats(1e-12, 1e12), st.floats(0.01, 1e3), st.sampled_from([0.0, 1.0, -1.0]))
NUMBERS = {
    kind: sorted(
        name
        for name, field in kind.model_fields.items()
        if isinstance(field.default, float) or name == "threshold_pairs"
    )
    for kind in (Emitter, Pump)
}


@st.composite
def tables(draw, kind):
    names = draw(st.lists(st.sampled_from(NUMBERS[kind]), max_size=4, unique=True))
    content = {}
    for name in names:
        default = kind.model_fields[name].default
        content[name] = (
            draw(ANY)
            if default in (None, 0.0) or draw(st.booleans())
            else default * draw(st.floats(0.03, 30.0))
        )
    if kind is Pump:
        content["photons"] = draw(st.sampled_from([1, 2]))
        content.setdefault("pulse_ns", draw(st.sampled_from([1e-4, 7.0, 1e6])))
        content["absorption_cross_section_cm2"] = draw(st.sampled_from([None, 3e-14]))
    return content


@given(tables(Emitter), tables(Pump), st.floats(200.0, 2000.0), st.sampled_from([0.0, 50.0, math.nan]))
@hypothesis.settings(max_examples=60)
def test_lines_or_one_line(emitter, pump, wavelength, required):
    lines = _lines_or_error(emitter, pump, wavelength, required)
    if isinstance(lines, InputError):
        assert "\n" not in str(lines)
        assert lines.key
        return
    json.dumps([line.record() for line in lines], allow_nan=False)
    for row, status in enumerate(lines.status):
        assert status.has_threshold == bool(np.isfinite(lines.value[row]))
        assert status is LineStatus.LASES or lines[row].note


def _lines_or_error(emitter, pump, wavelength, required):
    modes = Modes.from_columns(
        wavelength_nm=[wavelength, 655.0], threshold_gain_per_cm=[required] * 2, q=[300.0, np.nan]
    )
    short = pump["pulse_ns"] < QUASI_CW_NS  # with errors where that is quick
    try:
        return couple(modes, validated(Emitter, emitter), validated(Pump, pump), errors=short)
    except InputError as error:
        return error


def test_the_strategy_reaches_both_ends():
    """Of ordinary and mistyped tables both occur, or the test above tests nothing."""
    assert not isinstance(
        _lines_or_error({}, {"pulse_ns": 7.0, "absorption_cross_section_cm2": 3e-14}, 650.0, 5.0), InputError
    )
    assert isinstance(_lines_or_error({"exciton_ev": 1850.5}, {"pulse_ns": 7.0}, 650.0, 5.0), InputError)
