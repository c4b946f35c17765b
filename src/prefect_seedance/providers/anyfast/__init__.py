"""Anyfast's dialect. Input: a request or an answer of its API. Output: a call, or a typed answer. No I/O."""
