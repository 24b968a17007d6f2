"""Which samples add most, by distance, by a field's values, by what a model is unsure of."""
