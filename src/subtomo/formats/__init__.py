"""One file per format: read and write, to and from the model; no numerics."""
