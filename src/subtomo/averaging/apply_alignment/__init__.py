"""Turn boxes to the common axis that their table says, and average them there."""
