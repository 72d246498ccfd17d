"""A browser workbench for image classification: browse, train, classify, explain, compare, take away."""

__version__ = "0.1.0"
