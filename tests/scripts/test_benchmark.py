"""The benchmark runs small, and says what it measured against what."""

from scripts.benchmark import main


def test_small(capsys):
    assert main(["--small"]) == 0
    printed = capsys.readouterr().out
    for expected in ("machine:", "poles", "legume", "follow", "on oxide", "proven: True", "bound of 60 ms"):
        assert expected in printed
    assert "602.3" in printed
