"""A vector for each image: by a model or the built-in descriptor, here or on a Ray cluster."""
