"""What counts as a mode, why the rest does not, and the limit of infinite resolution."""

import numpy as np
import pytest

from cavitydesign.errors import SolverError
from cavitydesign.solvers.fdtd.harvest import (
    Line,
    extrapolate,
    lines_of_run,
    match,
    mean_over_offsets,
    overlap,
)
from cavitydesign.solvers.fdtd.solver import _refuse_unstable

CHANNELS = [f"g:Ex{i}" for i in range(6)]


def fits(frequency, decay, *, amplitude=1.0, channels=CHANNELS, group="g", pattern=None):
    pattern = pattern if pattern is not None else np.ones(len(channels))
    return [
        {
            "channel": name, "group": group, "frequency": frequency, "decay": decay, "amplitude": abs(amplitude * p),
            "phase": float(np.angle(p)), "error": 1e-9,
        }
        for name, p in zip(channels, pattern, strict=True)
    ]  # fmt: skip


def result(*windows, channels=CHANNELS, siblings=()):
    named = [{"name": name, "group": "g", "terms": []} for name in channels]
    named += [{"name": name, "group": "h", "terms": []} for name in siblings]
    return {"channels": named, "windows": [{"window": [0, 1], "fits": list(window)} for window in windows]}


def harvest(*windows, **kwargs):
    lines, rejected = lines_of_run(result(*windows, **kwargs), "g", where="here", q_min=20.0)
    return lines, [r.reason for r in rejected]


GOOD = fits(1.5, -1e-3)


def test_a_mode_that_channels_and_windows_share_counts():
    (line,), reasons = harvest(GOOD, GOOD, GOOD)
    assert (line.frequency, line.decay) == (pytest.approx(1.5), pytest.approx(-1e-3))
    assert 1.0 / line.inverse_q == pytest.approx(750.0)
    assert reasons == []


@pytest.mark.parametrize(
    ("bad", "windows", "reason"),
    [
        (fits(1.6, +1e-3), 2, "grows in time"),
        (fits(1.6, -0.08), 2, "q_min"),
        (fits(1.6, -1e-3, channels=CHANNELS[:1], pattern=np.ones(1)), 2, None),
        (fits(1.6, -1e-3, channels=CHANNELS[:2], pattern=[1e-2, 1e-2]), 0, "other parts"),
    ],
)
def test_what_is_no_mode_is_left_out_with_its_reason(bad, windows, reason):
    seen = [GOOD + bad, *[GOOD + bad if i < windows else GOOD for i in range(2)]]
    lines, reasons = harvest(*seen)
    assert [round(line.frequency, 6) for line in lines] == [1.5]
    if reason == "other parts":
        assert any(reason in text or "probe channels" in text for text in reasons)
    elif reason:
        assert any(reason in text for text in reasons)


def test_a_decay_that_differs_between_windows_is_not_trusted():
    lines, reasons = harvest(GOOD + fits(1.6, -1e-3), GOOD + fits(1.6, -3e-3), GOOD + fits(1.6, -0.5e-3))
    assert len(lines) == 1
    assert reasons == ["other parts of the ring-down do not repeat it"]


def test_a_lossless_mode_may_seem_to_grow_a_little():
    (line,), _ = harvest(fits(1.5, 1e-9), fits(1.5, -1e-9))
    assert abs(line.inverse_q) < 1e-6


def test_a_leak_from_the_other_label_is_no_mode():
    strong = fits(1.6, -1e-3, amplitude=200.0, channels=["h:Ex0", "h:Ex1"], group="h")
    seen = GOOD + fits(1.6, -1e-3, amplitude=0.5) + strong
    lines, reasons = harvest(seen, seen, siblings=["h:Ex0", "h:Ex1"])
    assert [round(line.frequency, 6) for line in lines] == [1.5]
    assert "leaks" in reasons[0]


def test_doubles_are_told_from_neighbours_by_their_pattern():
    a, b = np.array([1, 1, 1, 1, 1, 1.0]), np.array([1, -1, 1, -1, 1, -1.0])
    near = 1.5 * (1.0 + 5e-5)

    def split(second):
        both = []
        for name, p, q in zip(CHANNELS, a, second, strict=True):
            both += fits(1.5, -1e-5, channels=[name], pattern=[p]) + fits(
                near, -1e-5, amplitude=0.6, channels=[name], pattern=[q]
            )
        return harvest(both, both)

    assert len(split(a)[0]) == 1
    assert "double" in split(a)[1][0]
    assert len(split(b)[0]) == 2


def line(frequency, decay=-1e-4, pattern=(1.0, 0.0)):
    return Line(frequency, decay, 1e-7, 1e-7, {f"c{i}": complex(p) for i, p in enumerate(pattern)}, 1.0)


def test_matching_follows_patterns_through_a_shift():
    coarse = [line(1.50, pattern=(1, 0)), line(1.503, pattern=(0, 1))]
    fine = [line(1.512, pattern=(1, 0)), line(1.515, pattern=(0, 1)), line(1.60, pattern=(1, 1))]
    assert match(coarse, fine) == [(0, 0), (1, 1)]
    # the first mode has left the search window: the pattern, not the nearest frequency, decides
    assert match(coarse, fine[1:]) == [(1, 0)]
    assert overlap(coarse[0], fine[1]) == 0.0


def test_extrapolation_is_exact_for_an_error_in_h_squared():
    resolutions = [50.0, 70.0, 100.0]

    def at(r):
        return [line(1.6 * (1.0 - 20.0 / r**2), -1e-4 - 0.05 / r**2)]

    for chosen in (resolutions[:2], resolutions):
        (limit,), rejected = extrapolate([at(r) for r in chosen], chosen, where="E")
        assert limit.frequency == pytest.approx(1.6, rel=1e-12)
        assert limit.decay == pytest.approx(-1e-4, rel=1e-9)
        assert abs(at(chosen[-1])[0].frequency - limit.frequency) * 0.19 < limit.frequency_err
        assert not rejected


def test_one_resolution_knows_no_error_bar():
    (limit,), _ = extrapolate([[line(1.6)]], [50.0], where="E")
    assert np.isnan(limit.frequency_err)


def test_a_mode_of_the_coarse_grid_alone_is_rejected():
    lines, rejected = extrapolate(
        [[line(1.5), line(1.62, pattern=(0, 1))], [line(1.501)]], [50.0, 70.0], where="E"
    )
    assert len(lines) == 1
    assert [r.reason for r in rejected] == ["absent at the finer resolution"]


def test_the_mean_over_offsets_needs_both_and_widens_the_error():
    lines, rejected = mean_over_offsets([[line(1.500), line(1.7)], [line(1.502)]], where="E")
    assert [x.frequency for x in lines] == [pytest.approx(1.501)]
    assert lines[0].frequency_err == pytest.approx(0.0005)
    assert rejected[0].reason == "another position on the grid does not show it"


@pytest.mark.parametrize("tail", [1e28, np.nan])
def test_fields_that_grow_without_end_are_an_error_and_not_an_empty_table(tail):
    class Named:
        name = "++ at 78/um"

    series = np.ones((2, 100))
    series[:, -5:] = tail
    with pytest.raises(SolverError, match="unstable"):
        _refuse_unstable([Named()], [{"series_npz": {"series": series}}])
    _refuse_unstable([Named()], [{"series_npz": {"series": np.exp(-np.arange(100.0))[None]}}])
