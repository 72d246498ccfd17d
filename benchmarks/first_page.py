"""Time from starting the process to the first page, against a bare Gradio "hello world".

    python benchmarks/first_page.py [ROUNDS]

Each round starts both in turn and waits for the first complete answer on /; prints medians and the ratio pair by pair.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
HELLO = """
import gradio as gr
gr.Interface(lambda name: f"Hello {name}", "text", "text").launch(server_port=PORT, quiet=True)
"""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def seconds_to_page(command: list[str], port: int) -> float:
    """Start a server, wait for its page, end it."""
    environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as reply:
                    reply.read()
                    return time.perf_counter() - began
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None:
                    raise SystemExit(f"{command[1]} ended early") from None
                time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()


def main(rounds: int) -> None:
    """Print the comparison."""
    ours, bare = [], []
    for number in range(rounds + 1):
        port = free_port()
        bare_time = seconds_to_page([sys.executable, "-c", HELLO.replace("PORT", str(port))], port)
        port = free_port()
        our_time = seconds_to_page([sys.executable, "app.py", "--port", str(port)], port)
        if number:  # the first round warms the disk cache
            bare.append(bare_time)
            ours.append(our_time)
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    print(f"Vision Workbench: {median(ours):.2f} s    bare Gradio: {median(bare):.2f} s    rounds: {rounds}")
    print(f"ratio: {median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
