"""One file per command: its options, one library call, one display call."""
