"""Statistics: counts in, parameters out.

Pure functions on small aggregates, without a database, a file or a clock. What reads the counts and
writes the parameters is in `orchestration`; what applies them to every subscriber is SQL.
"""
