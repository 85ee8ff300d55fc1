"""A strict interpreter of a subset of Windows PowerShell 5.1. What is outside of the subset is refused, never guessed."""
