"""In go a table's rows and the routes; out comes a `BatchPlan`: each row checked, priced and routed."""
