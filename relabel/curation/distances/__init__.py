"""How far vectors are from one another: on a CPU, a GPU or a Ray cluster."""
