"""Initial models: a first map from particles in unknown orientations, by stochastic descent."""
