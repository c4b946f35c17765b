"""Storage of files in a folder or an object store. Input: finished files. Output: stored files, written atomically."""
