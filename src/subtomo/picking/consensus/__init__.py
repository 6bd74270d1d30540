"""What several pickers agree on."""
