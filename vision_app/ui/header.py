"""The page's first line: the name, one sentence, the device in use, the guide."""

import functools
import html
import re
from pathlib import Path

from vision_app.device import describe_cpu, describe_gpus, list_gpus

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDE_FILE = REPOSITORY / "README.md"
PICTURES = REPOSITORY / "docs"
PICTURES_ROUTE = "guide-pictures"


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
    return describe_gpus(gpus) if gpus else f"{describe_cpu()} · no GPU found"


def guide_text() -> str:
    """Return the user's guide as Markdown: the README without its front matter, its pictures served by the app."""
    if not GUIDE_FILE.exists():
        return "# Guide\n\nThe guide is the file README.md of the project; it is missing here."
    text = re.sub(r"\A---\n.*?\n---\n", "", GUIDE_FILE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\]\((?:\./)?docs/", f"]({PICTURES_ROUTE}/", text)
