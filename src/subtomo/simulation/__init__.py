"""Made-up macromolecules, tilt series with CTF, dose and noise, and their truth."""
