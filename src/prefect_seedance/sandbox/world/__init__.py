"""The sandbox's state: jobs, assets, uploads, faults and the bill.

Checked requests go in; jobs, bill lines and provider behaviour come out.
"""
