"""Tables of particles from any format to any other."""
