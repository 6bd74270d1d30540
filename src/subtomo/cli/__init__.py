"""The command line: thin, generated from the settings of each command."""
