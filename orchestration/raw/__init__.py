"""Raw files as they lie in their folder: which there are, of what shape, and how they are read."""
