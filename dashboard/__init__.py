"""The dashboard: one HTML file of a release that loads nothing, for whoever looks before reading.

Here belongs what a person sees: which figures of the released marts stand in which chart, and how
they are drawn. A definition does not: what a figure means is decided upstream of the marts.
"""
