"""The definitions a second time, in plain Python, and what compares the two.

Here belong the reference of the contract (`reference` and the modules under it), that of the
marts which the project defines itself (`project_marts` and the modules of that prefix), the random
services (`strategies`), the run of the dbt project over them (`pipeline`), the comparison
(`compare`, `shrink`) and their tests. Nothing here reads or copies the project's SQL: two
derivations of the same page that agree are evidence, one derivation checked against itself is
none.
"""
