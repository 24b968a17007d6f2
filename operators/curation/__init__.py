"""Similarity, uniqueness, and which images to choose."""
