"""The Python half of each panel."""
