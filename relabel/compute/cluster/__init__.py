"""A Ray cluster, and what its nodes are given to do."""
