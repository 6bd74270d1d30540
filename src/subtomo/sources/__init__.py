"""Where inputs live: files, folders, projects of other programs."""
