"""The look of the page: one theme, light and dark, and the style sheet that goes with it."""

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes

FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")

BLUE = colors.Color(
    name="blue",
    c50="#eef6fb",
    c100="#d6eaf5",
    c200="#aed5eb",
    c300="#7dbce0",
    c400="#56b4e9",
    c500="#0072b2",
    c600="#0072b2",
    c700="#005d92",
    c800="#004a75",
    c900="#003858",
    c950="#00243a",
)
GREY = colors.Color(
    name="grey",
    c50="#f7f8fa",
    c100="#eff1f4",
    c200="#e1e5ea",
    c300="#c6ccd4",
    c400="#8d96a3",
    c500="#5b6572",
    c600="#48515d",
    c700="#343c47",
    c800="#1f262f",
    c900="#171d25",
    c950="#10151b",
)

# A name that ends in _dark holds for the dark theme only. Every pair of text and background is at least 4.5 : 1.
_SETTINGS = {
    "body_background_fill": "white",
    "body_background_fill_dark": "*neutral_950",
    "body_text_color_subdued": "*neutral_500",
    "body_text_color_subdued_dark": "#a6b0bd",
    "background_fill_secondary": "*neutral_50",
    "border_color_primary_dark": "#313a45",
    "block_background_fill_dark": "*neutral_900",
    "block_label_text_color": "*neutral_600",
    "block_title_text_color": "*neutral_700",
    "block_title_text_weight": "500",
    "block_label_background_fill_dark": "*neutral_900",
    "block_radius": "*radius_lg",
    "block_info_text_color": "*neutral_500",
    "color_accent": "*primary_500",
    "color_accent_soft_dark": "#16324a",
    "link_text_color": "*primary_600",
    "link_text_color_hover": "*primary_700",
    "link_text_color_active": "*primary_700",
    "link_text_color_visited": "*primary_600",
    "link_text_color_dark": "*primary_400",
    "link_text_color_hover_dark": "*primary_300",
    "link_text_color_active_dark": "*primary_300",
    "link_text_color_visited_dark": "*primary_400",
    "input_background_fill": "white",
    "input_background_fill_dark": "*neutral_950",
    "input_border_width": "1px",
    "input_border_color": "*neutral_300",
    "input_border_color_dark": "#3d4753",
    "input_border_color_focus": "*primary_500",
    "input_border_color_focus_dark": "*primary_400",
    "input_placeholder_color": "*neutral_500",
    "input_placeholder_color_dark": "*neutral_400",
    "slider_color_dark": "*primary_400",
    "loader_color_dark": "*primary_400",
    "checkbox_label_background_fill": "white",
    "checkbox_label_background_fill_hover": "*neutral_50",
    "checkbox_label_background_fill_dark": "*neutral_900",
    "checkbox_label_background_fill_hover_dark": "*neutral_800",
    "checkbox_background_color_selected_dark": "*primary_500",
    "checkbox_border_color": "*neutral_400",
    "checkbox_border_color_dark": "*neutral_400",
    "button_primary_background_fill": "*primary_500",
    "button_primary_background_fill_dark": "*primary_500",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_700",
    "button_primary_border_color_dark": "*primary_500",
    "button_secondary_background_fill": "white",
    "button_secondary_background_fill_hover": "*neutral_100",
    "button_secondary_background_fill_dark": "*neutral_900",
    "button_secondary_background_fill_hover_dark": "*neutral_800",
    "button_secondary_border_color": "*neutral_300",
    "button_secondary_border_color_hover": "*neutral_400",
    "button_secondary_border_color_dark": "#3d4753",
    "button_secondary_border_color_hover_dark": "*neutral_400",
    "button_secondary_text_color": "*neutral_800",
    "button_secondary_text_color_dark": "*neutral_100",
    "button_border_width": "1px",
    "button_large_text_size": "*text_md",
    "button_transition": "background-color 0.15s ease, border-color 0.15s ease",
    "table_even_background_fill": "white",
    "table_odd_background_fill": "white",
    "table_even_background_fill_dark": "*neutral_900",
    "table_odd_background_fill_dark": "*neutral_900",
    "table_border_color": "*neutral_200",
    "table_border_color_dark": "#313a45",
    "error_border_color": "#b84a00",
    "error_text_color": "#a34200",
    "error_icon_color": "#b84a00",
}


def build_theme() -> gr.themes.Base:
    """Return the app's theme: the system's own fonts, blue as the only accent, light and dark."""
    theme = gr.themes.Base(
        primary_hue=BLUE,
        secondary_hue=BLUE,
        neutral_hue=GREY,
        spacing_size=sizes.spacing_lg,
        radius_size=sizes.radius_md,
        text_size=sizes.text_md,
        font=FONTS,
        font_mono=MONO_FONTS,
    )
    theme.name = "vision-workbench"
    return theme.set(**_SETTINGS)


def style_sheet() -> str:
    """Return the style sheet of the page and of the figures in it."""
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8") + "\n" + heat_levels()


def heat_levels(levels: int = 10) -> str:
    """Return the classes h0..h10 that shade a confusion matrix in one hue, with text that stays readable on each.

    Light pages run from white to a deep blue, dark pages from the panel's grey to a light blue.
    """
    light, dark = ((255, 255, 255), (0, 74, 117)), ((23, 29, 37), (150, 210, 245))
    rules = []
    for prefix, (low, high) in (("", light), (".dark ", dark)):
        for level in range(levels + 1):
            share = level / levels
            rgb = tuple(round(a + (b - a) * share) for a, b in zip(low, high, strict=True))
            text = "#000" if _luminance(rgb) > 0.179 else "#fff"  # where black and white contrast alike, 4.6 : 1
            rules.append(f"{prefix}.vw-matrix td.h{level}{{background:rgb{rgb};color:{text}}}")
    return "\n".join(rules)


def _luminance(rgb: tuple[int, ...]) -> float:
    """Relative luminance of an sRGB colour, 0..1 (WCAG 2.2)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
