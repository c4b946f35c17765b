"""What the sandbox's providers share over HTTP: calls, files, links, uploads, the control endpoint."""
