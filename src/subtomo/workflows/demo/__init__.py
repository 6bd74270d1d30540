"""The demo: from simulated tilt series to an average that is compared with the truth."""
