"""The metrics of the semantic layer: which there are, and how a release answers for them."""
