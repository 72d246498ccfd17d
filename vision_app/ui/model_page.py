"""About a network: its page, which is folded away and built when somebody opens it."""

from typing import Any

import gradio as gr

from vision_app import readable
from vision_app.figures.network import layer_table, network_diagram
from vision_app.models.catalog import find_model
from vision_app.models.pages import PAGES
from vision_app.models.summary import NUM_CLASSES, layers_of, stages_of
from vision_app.ui.layout import SEEN, UNQUEUED

FORMULAS = [{"left": "$$", "right": "$$", "display": True}]


def build_model_page(model: gr.Dropdown) -> None:
    """Build the fold; it follows the choice of the network while it is open."""
    with gr.Accordion("About this network", open=False, elem_id="train-about-fold") as fold:
        words = gr.Markdown(latex_delimiters=FORMULAS, elem_id="train-about", container=False)
        figures = gr.HTML(elem_id="train-about-figures", min_height=240)
    is_open = gr.State(False)
    drawn = {"inputs": [is_open, model], "trigger_mode": "always_last"}
    opened = fold.expand(lambda: True, None, is_open, **UNQUEUED)
    fold.collapse(lambda: False, None, is_open, **UNQUEUED)
    for event in (opened.then, model.change):
        event(_words, outputs=words, **drawn, **UNQUEUED).then(_figures, outputs=figures, **drawn, **SEEN)


def page_words(name: str) -> str:
    """Return what is said about a network, as Markdown with its formula."""
    info, page = find_model(name), PAGES[name]
    return (
        f"{page.idea}\n\n$${page.formula}$$\n\n{page.meaning}\n\n**In practice.** {page.use}\n\n"
        f"**Published:** [{info.paper}]({page.link})"
    )


def page_figures(name: str) -> str:
    """Return a network's stages and layers, for its default pictures; builds it the first time, which takes seconds."""
    info, layers = find_model(name), layers_of(name)
    shape = f"{info.default_size} × {info.default_size} pixels in {'colour' if info.channels == 3 else 'grey'}"
    return (
        f'<p class="vw-note">For pictures of {shape} and {NUM_CLASSES} classes: {readable.count(info.parameters)} parameters.</p>'
        f"{network_diagram(info.title, stages_of(layers))}"
        f'<details class="vw-live-settings"><summary>All {len(layers)} layers</summary>{layer_table(layers)}</details>'
    )


def _words(is_open: bool, name: str) -> Any:
    return page_words(name) if is_open else gr.skip()


def _figures(is_open: bool, name: str) -> Any:
    return page_figures(name) if is_open else gr.skip()
