"""One batch in several processes: the coordinator plans and watches, each shard works on some of the rows."""
