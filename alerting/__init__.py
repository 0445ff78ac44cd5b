"""Alerts: what broke and what recovered, told once to the people who mend it.

What belongs here: the rules of when somebody is told (`incidents`), what is told (`messages`), how
it gets there (`senders`) and what is kept until it has (`outbox`). What does not: what is wrong
with a run, which `orchestration` knows.
"""
