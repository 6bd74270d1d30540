"""Picking by a network that learns from a few picks."""
