"""The Classify tab."""

import gradio as gr

from vision_app.ui.layout import Page
from vision_app.ui.pad import build_pad, decode_pad


def build(page: Page) -> None:
    with gr.Row():
        with gr.Column():
            pad = build_pad()
        with gr.Column():
            out = gr.Textbox(elem_id="out")
    def f(v):
        d = decode_pad(v)
        return "none" if d is None else f"{d.shape} {int((d<128).mean()*10000)} levels {len(set(d.ravel().tolist()))} url {len(v)}"
    pad.change(f, pad, out, show_progress="hidden", api_visibility="private")
