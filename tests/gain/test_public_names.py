"""What ``cavitydesign.gain`` offers by name."""

import cavitydesign.gain as gain


def test_every_public_name_is_there_once_and_in_order():
    assert len(gain.__all__) == len(set(gain.__all__))
    for name in gain.__all__:
        assert hasattr(gain, name), name
    imported = {
        name
        for name, value in vars(gain).items()
        if getattr(value, "__module__", "").startswith("cavitydesign.gain.")
    }
    assert imported <= set(gain.__all__)
