"""One file per tab, each with build(page)."""
