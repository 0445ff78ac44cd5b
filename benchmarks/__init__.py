"""What the whole way costs in time, memory and disk, measured on whole processes.

Here belong measurements and how they are told; nothing here passes or fails, so no test is timed.
"""
