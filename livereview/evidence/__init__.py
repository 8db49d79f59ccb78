"""What the studies show, from a form's figures to a sentence; pure."""
