"""`nncli config …`: the shipped configs, and what a config of one's own means."""
