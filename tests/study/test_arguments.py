"""What Python callers give wrongly is said in one line that names the argument."""

import pytest

from cavitydesign import Axis, Modes, calibrate, lasing_lines, predict, sensitivities, sweep
from cavitydesign.errors import InputError
from cavitydesign.study.compare import compare
from tests.study.toy import Toy, film


@pytest.mark.parametrize("peaks", ["x.csv", None, [{"wavelength_nm": 640.0}]])
def test_peaks_are_read_first(peaks):
    for use in (
        lambda: predict(film(), Toy(), peaks=peaks),
        lambda: calibrate(film(), peaks, Toy()),
        lambda: compare(film(), peaks, lambda variant, here: ()),
    ):
        with pytest.raises(InputError, match="as read_peaks gives them") as caught:
            use()
        assert caught.value.key == "peaks"


def test_one_path_is_no_list_of_paths():
    for use in (
        lambda: sensitivities(film(), Toy(), paths="lattice.period_nm"),
        lambda: calibrate(film(), [], Toy(), paths="layers.1.thickness_nm"),
        lambda: sensitivities(film(), Toy(), paths=[1]),
    ):
        with pytest.raises(InputError, match="must be a list of dotted paths") as caught:
            use()
        assert caught.value.key == "paths"


@pytest.mark.parametrize("design", ["file.toml", None])
def test_a_file_is_no_design(design):
    for use in (
        lambda: predict(design, Toy()),
        lambda: lasing_lines(design, Modes.of([])),
        lambda: calibrate(design, [], Toy()),
        lambda: sensitivities(design),
        lambda: compare(design, [], lambda variant, here: ()),
        lambda: sweep(design, [Axis("lattice.period_nm", (400.0,))], Toy()),
    ):
        with pytest.raises(InputError, match="must be a design; load_design reads one") as caught:
            use()
        assert caught.value.key == "design"
