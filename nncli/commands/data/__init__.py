"""`nncli data …`: the data sources, and what is in one before it is trained on."""
