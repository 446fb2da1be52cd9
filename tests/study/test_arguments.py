"""What Python callers give wrongly is said in one line that names the argument."""

import pytest

from cavitydesign import calibrate, predict, sensitivities
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
