"""Where a picture comes from: a row of choices, of which one panel is open."""

import json
from collections.abc import Mapping

import gradio as gr


def build_switch(titles: Mapping[str, str], elem_id: str, label: str = "Source") -> gr.Radio:
    """Build a row of choices; the first one is chosen.

    Args:
        titles: key of each choice -> what the page calls it.
        elem_id: of the component.
        label: what is chosen, for those who hear the page.
    """
    return gr.Radio(
        [(title, key) for key, title in titles.items()],
        value=next(iter(titles)),
        label=label,
        show_label=False,
        container=False,
        elem_id=elem_id,
        elem_classes="vw-segments",
    )


def show_panel(switch: gr.Radio, panels: Mapping[str, gr.Column]) -> None:
    """Let the browser itself show the panel that is chosen: an answer of the server could be overtaken by the next."""
    choose = f"key => {json.dumps(list(panels))}.map(name => ({{__type__: 'update', visible: name === key}}))"
    switch.change(None, switch, list(panels.values()), js=choose, api_visibility="private")
