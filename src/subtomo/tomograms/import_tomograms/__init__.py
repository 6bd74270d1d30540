"""Bringing in tomograms that other programs made, for ``--tomograms`` of every command."""
