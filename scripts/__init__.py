"""Tools for those who work on livereview; nothing here is installed."""
