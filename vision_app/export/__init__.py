"""Taking a model away: other file formats of a trained network."""
