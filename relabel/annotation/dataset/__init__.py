"""What a dataset holds: its label fields, its media, and how labels are read and written."""
