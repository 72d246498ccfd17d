import inspect
import subprocess
import sys

import gradio as gr
import pytest

from vision_app.ui import layout

HEAVY = ("keras", "tensorflow", "matplotlib", "cv2", "sklearn", "ai_edge_litert", "onnxruntime")


@pytest.fixture(scope="module")
def demo() -> gr.Blocks:
    return layout.build_app()


def test_tabs_stand_in_the_order_of_the_flow(demo: gr.Blocks) -> None:
    tabs = [block for block in demo.blocks.values() if isinstance(block, gr.Tab)]
    names = [tab.id for tab in tabs if str(tab.elem_id).startswith("tab-")]
    assert names == [row.name for row in layout.TABS]
    assert layout.OPENS_ON in names


def test_the_address_follows_the_tabs_and_drops_what_belonged_to_another() -> None:
    script = layout._follow_tabs()
    assert all(f'"{row.title}": "{row.name}"' in script for row in layout.TABS)
    assert "searchParams.delete(key)" in script


def test_every_public_event_is_named_typed_and_described(demo: gr.Blocks) -> None:
    for function in demo.fns.values():
        if function.api_visibility != "public":
            continue
        assert function.fn is not None
        assert function.fn.__doc__, function.api_name
        assert "return" in function.fn.__annotations__, function.api_name


def test_the_public_endpoints_are_those_meant_to_be(demo: gr.Blocks) -> None:
    public = {function.api_name for function in demo.fns.values() if function.api_visibility == "public"}
    assert "classify" in public
    assert not {name for name in public if str(name).startswith(("_", "lambda"))}


def test_predictions_have_a_lane_of_their_own(demo: gr.Blocks) -> None:
    lanes = {function.api_name: (function.concurrency_id, function.concurrency_limit) for function in demo.fns.values()}
    assert lanes["classify"] == ("predict", 4)


def test_the_queue_is_bounded_and_nothing_is_reported_home(demo: gr.Blocks) -> None:
    assert demo._queue.max_size == layout.QUEUE_SIZE
    assert demo.analytics_enabled is False


def test_launch_options_fit_both_ways_of_starting() -> None:
    options = layout.launch_options()
    for function in (gr.Blocks.launch, gr.mount_gradio_app):
        assert set(options) <= set(inspect.signature(function).parameters)


def test_nothing_heavy_is_imported_before_the_page_is_up() -> None:
    code = (
        "import sys; from vision_app.ui.layout import build_app, launch_options; build_app(); launch_options();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.strip() == "[]"
