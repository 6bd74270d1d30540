"""Copies of what the CryoET Data Portal has, as RELION projects on disk."""
