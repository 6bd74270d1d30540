"""From tomograms to picks: template matching, and picks judged against a truth."""
