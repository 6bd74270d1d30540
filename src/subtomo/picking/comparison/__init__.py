"""One set of picks judged by another."""
