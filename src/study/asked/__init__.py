"""What `ask` answers: a finished study, and ascents that it did not make."""
