"""What a run is worth when its process, its disk or its user gives up: each file call tried."""
