"""The page's first line: the name, one sentence, the device in use, the guide."""

import functools
import html
import os
import re
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDE_FILE = REPOSITORY / "README.md"
PICTURES = REPOSITORY / "docs"


def header_html() -> str:
    """Return the header with the page's only h1."""
    return (
        '<header class="vw-header"><h1>Vision Workbench</h1>'
        "<p>Train an image classifier, watch it learn, and try it on your own pictures.</p>"
        f'<span class="vw-badge" title="What this machine computes with">{html.escape(device_badge())}</span>'
        '<a href="guide">Guide</a></header>'
    )


@functools.cache
def device_badge() -> str:
    """Return what this machine computes with: "NVIDIA H200" or "CPU, 2 cores · no GPU found"."""
    gpus = list_gpus()
    if gpus:
        return gpus[0] if len(gpus) == 1 else f"{len(gpus)} × {gpus[0]}"
    cores = num_cores()
    return f"CPU, {cores} {'core' if cores == 1 else 'cores'} · no GPU found"


def num_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def list_gpus() -> list[str]:
    """Return the names of the NVIDIA GPUs, as the driver's own tool tells them; asking it needs no framework."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU \d+: (.+?) \(UUID", answer, flags=re.MULTILINE)


def guide_text() -> str:
    """Return the user's guide as Markdown: the README without its front matter, its pictures served by the app."""
    if not GUIDE_FILE.exists():
        return "# Guide\n\nThe guide is the file README.md of the project; it is missing here."
    text = re.sub(r"\A---\n.*?\n---\n", "", GUIDE_FILE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\]\((?:\./)?docs/", lambda _: f"](gradio_api/file={PICTURES.as_posix()}/", text)
