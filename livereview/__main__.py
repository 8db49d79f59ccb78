"""`python -m livereview` is the script `livereview`."""

from livereview.cli import app

app()
