import logging
from collections.abc import Iterator

import gradio as gr
import pytest

from vision_app.errors import InputError
from vision_app.ui.messages import APOLOGY, alert, say_errors

HOSTILE = "<img src=x onerror=alert(1)>"


@say_errors("Cannot add")
def add(a: int, b: int) -> int:
    """Add."""
    if a < 0:
        raise InputError(f"Expected a positive number, got {a} {HOSTILE}.")
    return a + b


@say_errors("Cannot count")
def count(limit: int) -> Iterator[int]:
    """Count."""
    yield from range(limit)
    raise InputError("Expected no end.")


@say_errors("Cannot open")
def fail() -> None:
    """Fail."""
    raise FileNotFoundError("/home/someone/secret")


def test_a_result_passes() -> None:
    assert add(1, b=2) == 3


def test_bad_input_is_shown_as_it_is_and_escaped() -> None:
    with pytest.raises(gr.Error) as caught:
        add(-1, 2)
    assert caught.value.message == "Expected a positive number, got -1 &lt;img src=x onerror=alert(1)&gt;."
    assert caught.value.title == "Cannot add"


def test_a_generator_yields_before_it_says_its_error() -> None:
    steps = count(2)
    assert [next(steps), next(steps)] == [0, 1]
    with pytest.raises(gr.Error, match=r"Expected no end\."):
        next(steps)


def test_a_fault_is_logged_and_gives_nothing_away(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        fail()
    assert caught.value.message == APOLOGY
    assert "/home/someone/secret" in caplog.text


def test_gradio_still_sees_the_handlers_signature() -> None:
    assert list(add.__annotations__) == ["a", "b", "return"]
    assert add.__doc__ == "Add."


def test_alert() -> None:
    assert alert("") == ""
    assert HOSTILE not in alert(HOSTILE)
    assert 'role="alert"' in alert("Wrong.")
