"""What the commands of `tenure` do that nothing else does, and what a person is told by them."""
