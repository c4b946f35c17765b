"""Where files are kept, in a folder or an object store: written as a whole, or not at all."""
