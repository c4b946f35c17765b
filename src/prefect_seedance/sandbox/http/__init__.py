"""HTTP code that the sandbox's providers share: calls, files, links, multipart forms, and the control endpoints."""
