"""The lattice of a microtubule from picks on its wall: axial repeat and protofilament number."""
