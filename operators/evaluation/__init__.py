"""Models, evaluations, label errors, and what mending them did."""
