"""Bringing in a catalogue of Dynamo: its tomograms, models and tables of particles."""
