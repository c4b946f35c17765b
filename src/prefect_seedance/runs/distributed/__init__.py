"""One batch in several processes: the coordinator hands out work, each shard carries some of it."""
