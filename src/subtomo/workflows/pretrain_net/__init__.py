"""Training of the network that picks start from, on made-up bodies."""
