"""The whole app behind one address: the REST routes, and the page."""

import os
import signal
import socket
import time
import warnings
from typing import NoReturn

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from vision_app import places
from vision_app.errors import InputError
from vision_app.keeping import empty_trash
from vision_app.processes import GROWING
from vision_app.runs import LIVE, is_readable, list_checkpoints, list_runs
from vision_app.serving.api import create_api
from vision_app.training import jobs
from vision_app.ui import header
from vision_app.ui.layout import build_app, launch_options

HOST, PORT = "127.0.0.1", 7860
CLOSE_SECONDS = 2  # open pages hold a connection for as long as they are open
SAVE_SECONDS = 20  # a Space is given 30 seconds to end


def create_server() -> FastAPI:
    """Return the REST routes with the guide's pictures and the page mounted beneath them."""
    routes = create_api()
    if header.PICTURES.is_dir():
        routes.mount(f"/{header.PICTURES_ROUTE}", StaticFiles(directory=header.PICTURES))
    page = build_app()
    # Gradio checks the paths that requests name only in an app that was launched; mounting one does not count for it.
    page.has_launched = True
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SSR mode is not supported")  # said even when it was not asked for
        return gr.mount_gradio_app(routes, page, path="/", **launch_options())


def serve(host: str | None = None, port: int | None = None) -> None:
    """Serve the app until Ctrl-C or SIGTERM; then ask the trainings that it started to end.

    Args:
        host: the address to listen on; default: GRADIO_SERVER_NAME, every address on a Space, else this machine only.
            Who comes over a network cannot name paths of this machine.
        port: 0 takes any free one; default: GRADIO_SERVER_PORT or 7860.

    Raises:
        InputError: the port is taken or the address is not this machine's.
    """
    host = host or default_host()
    listener = listen(host, default_port() if port is None else port)
    if host not in places.OWN_HOSTS:
        places.close(exempt=_places_of_runs)
    os.environ.setdefault(GROWING, "true")  # else what the page computes on a GPU would leave no memory for training
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        empty_trash()
        options = uvicorn.Config(create_server(), log_level="warning", timeout_graceful_shutdown=CLOSE_SECONDS)
        print(f"Vision Workbench: {address_of(listener)} (Ctrl-C ends it)", flush=True)
        uvicorn.Server(options).run(sockets=[listener])
    except (KeyboardInterrupt, SystemExit):  # uvicorn hands the signal on when it has closed
        pass
    finally:
        signal.signal(signal.SIGTERM, previous)
        listener.close()
        end_trainings()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, so that a taken port is told before anything is loaded.

    Raises:
        InputError: it cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"Cannot listen on {host}, port {port}: {reason.lower()}; choose another with --port, for example --port {_other(port)}."
        ) from None
    return listener


def default_host() -> str:
    """Return GRADIO_SERVER_NAME, every address on a Space, else only this machine."""
    return os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if os.environ.get("SPACE_ID") else HOST)


def default_port() -> int:
    """Return GRADIO_SERVER_PORT, else 7860.

    Raises:
        InputError: the variable is not a port.
    """
    given = os.environ.get("GRADIO_SERVER_PORT") or str(PORT)
    if not given.isdecimal() or int(given) > 65535:
        raise InputError(
            f"Expected GRADIO_SERVER_PORT to be a number up to 65535, got '{given}'; correct or remove it."
        )
    return int(given)


def address_of(listener: socket.socket) -> str:
    """Return where a person on this machine finds the page."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def end_trainings() -> None:
    """Ask the trainings that this process started to end, and wait for them: in a container they end with it."""
    live = [run for run in list_runs() if run.state() in LIVE]
    jobs.interrupt_all()
    until = time.monotonic() + SAVE_SECONDS
    for run in live:
        try:
            jobs.wait(run, max(0.0, until - time.monotonic()))
        except KeyError:  # another process started it
            continue


def _places_of_runs() -> set[str]:
    """Return where the images are that a model has learned from: its pages show them."""
    return {run.config().dataset for run in [*list_checkpoints(), *list_runs()] if is_readable(run)}


def _other(port: int) -> int:
    return port + 1 if 0 < port < 65535 else PORT


def _leave(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)
