"""copick projects as a source of particles."""
