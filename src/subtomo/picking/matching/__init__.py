"""Template matching with locally normalised correlation."""
