"""Pictures made from results only: HTML and SVG that follow the page's theme, and arrays. No widgets, no heavy imports.

Every name that comes from outside (a class, a file, a run) is escaped here, so a picture can be shown as it is.
"""

from vision_app.figures.bars import class_accuracy, class_histogram, probability_bars
from vision_app.figures.curves import Series, curves, downsample
from vision_app.figures.heat import colorbar, heatmap_image, overlay
from vision_app.figures.images import picture_html, png_url
from vision_app.figures.matrix import confusion_matrix, confusions
from vision_app.figures.network import layer_table, network_diagram
from vision_app.figures.scatter import Point, accuracy_against_latency
from vision_app.figures.smoothing import smoothed

__all__ = [
    "Point",
    "Series",
    "accuracy_against_latency",
    "class_accuracy",
    "class_histogram",
    "colorbar",
    "confusion_matrix",
    "confusions",
    "curves",
    "downsample",
    "heatmap_image",
    "layer_table",
    "network_diagram",
    "overlay",
    "picture_html",
    "png_url",
    "probability_bars",
    "smoothed",
]
