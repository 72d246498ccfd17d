"""Readers of the publishers' own file formats, one a file."""
