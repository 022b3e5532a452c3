"""A run that is put to use: its model on other samples, in other files, in other programs."""
