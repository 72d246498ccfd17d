"""What the page tells about a network."""

import pytest

from vision_app.models.catalog import MODELS
from vision_app.ui import model_page


def test_the_words_come_with_formula_and_paper_and_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_page, "layers_of", lambda name: pytest.fail("it was built"))
    words = model_page.page_words("lenet5")
    formula = words.split("$$")[1]
    assert r"\tanh" in formula and words.count("$$") == 2
    assert f"[{MODELS['lenet5'].paper}](https://doi.org/10.1109/5.726791)" in words


def test_the_figures_are_of_the_network_itself() -> None:
    text = model_page.page_figures("lenet5")
    assert "For pictures of 32 × 32 pixels in grey and 10 classes: 61.7 k parameters." in text
    assert "<svg" in text and "All 11 layers</summary>" in text and "<td>61,706</td>" in text


def test_a_folded_page_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_page, "layers_of", lambda name: pytest.fail("it was built"))
    assert model_page._words(False, "lenet5") == model_page._figures(False, "lenet5") == model_page.gr.skip()
