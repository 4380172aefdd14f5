"""The suffixes announced are those that the rooms below write."""

from physolve.cli._outputs import PICTURES, SOLUTIONS


def test_pictures_are_those_of_the_view_room() -> None:
    from physolve.view._plot import SUFFIXES

    assert set(PICTURES) == set(SUFFIXES)


def test_solutions_are_those_of_the_io_room_and_the_native_one() -> None:
    from physolve.io import SUFFIXES

    assert set(SOLUTIONS) == {".safetensors", *SUFFIXES}
