"""`nncli train`: a new run, or one that goes on."""
