"""MRR movements the ways that others make them, beside ours, on the same accepted changes.

Here belong the other ways, the measurement of all, and the count of where they differ and why. What
a movement is stands in the models; nothing of the product may use a way from here.
"""
