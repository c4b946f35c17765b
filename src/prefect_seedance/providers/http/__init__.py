"""In goes a `Call`, out comes an `Answer`: one request over HTTP, bounded, traced, never repeated here."""
