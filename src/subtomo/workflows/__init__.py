"""What joins capabilities: the demo, and pipelines from YAML files."""
