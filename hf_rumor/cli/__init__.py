"""The `hf-rumor` command."""
