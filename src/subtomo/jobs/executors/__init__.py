"""Where items are computed."""
