"""The assets of the way from raw tables to a release.

A thin shell: what an asset does is said in the packages beside this one.
"""
