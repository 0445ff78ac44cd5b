"""The command line `tenure`: what a person asks for, and what they are told."""
