"""Jimmy AI's dialect: requests become its calls, its answers become ours. No I/O."""
