"""Geometric models: points that a user clicked, the geometry through them, particles on it."""
