"""What the sandbox remembers: jobs, assets, uploads, faults and the bill.

In go requests that were understood; out comes what a provider would do.
"""
