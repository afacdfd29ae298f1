"""What `scripts/bench-peers` is made of: one noun a file. Python 3.11 and its standard library, nothing else."""
