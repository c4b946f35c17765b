"""In goes the address of a medium that a row names; out comes what it is, and its bytes where they are needed."""
