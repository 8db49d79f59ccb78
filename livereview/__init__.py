"""livereview keeps a living systematic review alive, from a nightly search to a public summary."""
