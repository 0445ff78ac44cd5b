"""What is plausible: a suite for each raw feed, one for the released marts, and their verdict.

Here belong expectations (data: what, how bad, why, whose, what to do), the small frames that they
are judged on, and the one function that judges them with Great Expectations. Not here: definitions
of the figures (dbt models), truths that hold row by row (dbt tests), and what follows from a
verdict (orchestration). Nothing here imports Great Expectations before it is needed: it takes
seconds.
"""
