"""`nncli runs …`: the runs that there are, one of them, two of them, and none of them any more."""
