"""Labels and predictions as arrays, and which prediction is which label."""
