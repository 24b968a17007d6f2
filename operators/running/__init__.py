"""Where heavy work runs, how far it is, and how it is ended."""
