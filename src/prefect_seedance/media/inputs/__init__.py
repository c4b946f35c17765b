"""Input: the address of a medium in a row. Output: its facts, and its content where it is needed."""
