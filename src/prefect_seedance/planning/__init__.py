"""Turns a table's rows and the routes into a `BatchPlan`: each row checked, priced and routed."""
