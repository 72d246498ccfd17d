"""Errors -> messages that a person reads, for plain functions and for generators."""

import functools
import html
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import gradio as gr

from vision_app.errors import InputError

Handler = TypeVar("Handler", bound=Callable[..., Any])

APOLOGY = "Something went wrong in the app itself. Your input is kept; try again. The app's log has the details."
log = logging.getLogger(__name__)


def say_errors(title: str) -> Callable[[Handler], Handler]:
    """Return a decorator that shows a handler's errors as messages in the page and leaves its outputs as they were.

    An InputError is shown as it is; anything else is logged and shown as an apology that gives nothing away.

    Args:
        title: what was tried, as the message's heading: "Cannot start", "Cannot read the picture".
    """

    def decorate(handler: Handler) -> Handler:
        if inspect.isgeneratorfunction(handler):

            @functools.wraps(handler)
            def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
                with spoken(title):
                    yield from handler(*args, **kwargs)

            return steps  # type: ignore[return-value]

        @functools.wraps(handler)
        def call(*args: Any, **kwargs: Any) -> Any:
            with spoken(title):
                return handler(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


@contextmanager
def spoken(title: str) -> Iterator[None]:
    """Turn any error of the block into the one that Gradio shows to the person."""
    try:
        yield
    except gr.Error:
        raise
    except InputError as error:
        raise gr.Error(html.escape(str(error), quote=False), title=html.escape(title), print_exception=False) from None
    except Exception:
        log.exception("%s failed", title)
        raise gr.Error(APOLOGY, title=html.escape(title), print_exception=False) from None


def alert(text: str) -> str:
    """Return a line for the page that says what went wrong; empty text gives an empty line."""
    if not text:
        return ""
    return f'<p class="vw-alert" role="alert"><span aria-hidden="true">!</span>{html.escape(text)}</p>'
