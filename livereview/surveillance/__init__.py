"""How searches are judged: their health, their recall, look-ups of what is known; pure."""
