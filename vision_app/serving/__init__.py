"""Serving trained models to other programs."""
