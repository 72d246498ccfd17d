import re

import pytest

from vision_app.ui import theme


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, written down a second time."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def resolve(name: str, dark: bool) -> str:
    """Follow a theme's variable to its colour."""
    settings = vars(theme.build_theme())
    value = (settings.get(f"{name}_dark") if dark else None) or settings[name]
    while value.startswith("*"):
        value = (settings.get(f"{value[1:]}_dark") if dark else None) or settings[value[1:]]
    return {"white": "#ffffff", "black": "#000000"}.get(value, value)


PAIRS = [
    ("body_text_color", "body_background_fill"),
    ("body_text_color", "block_background_fill"),
    ("body_text_color_subdued", "body_background_fill"),
    ("body_text_color_subdued", "block_background_fill"),
    ("body_text_color_subdued", "background_fill_secondary"),
    ("block_title_text_color", "block_background_fill"),
    ("block_label_text_color", "block_label_background_fill"),
    ("block_info_text_color", "block_background_fill"),
    ("link_text_color", "body_background_fill"),
    ("link_text_color_visited", "body_background_fill"),
    ("link_text_color_hover", "body_background_fill"),
    ("button_primary_text_color", "button_primary_background_fill"),
    ("button_primary_text_color", "button_primary_background_fill_hover"),
    ("button_secondary_text_color", "button_secondary_background_fill"),
    ("button_secondary_text_color", "button_secondary_background_fill_hover"),
    ("input_placeholder_color", "input_background_fill"),
    ("error_text_color", "error_background_fill"),
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(text: str, ground: str, dark: bool) -> None:
    assert contrast(resolve(text, dark), resolve(ground, dark)) >= 4.5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_style_sheets_own_colours_can_be_read(dark: bool) -> None:
    start = "\n.dark {" if dark else "\n:root {"
    block = theme.style_sheet().split(start)[1].split("}")[0]
    colours = dict(re.findall(r"--vw-([\w-]+): (#\w{6})", block))
    assert contrast(colours["bad-text"], colours["bad-fill"]) >= 4.5
    assert contrast(colours["good-text"], resolve("body_background_fill", dark)) >= 4.5
    assert contrast(colours["blue"], resolve("body_background_fill", dark)) >= 3  # a line, not text


def test_numbers_in_a_confusion_matrix_can_be_read_on_every_shade() -> None:
    rules = re.findall(r"background:rgb\((\d+), (\d+), (\d+)\);color:#(\w{3})", theme.heat_levels())
    assert len(rules) == 22
    for *rgb, text in rules:
        assert contrast("#" + "".join(f"{int(c):02x}" for c in rgb), "#" + text * 2) >= 4.5


def test_nothing_is_fetched_from_elsewhere() -> None:
    css = theme.style_sheet() + theme.build_theme()._get_theme_css()
    assert "@import" not in css
    assert "@font-face" not in css
    assert not re.search(r"url\((?!\s*['\"]?data:)", css)


def test_motion_stops_when_the_system_asks_for_less() -> None:
    assert "prefers-reduced-motion" in theme.style_sheet()
