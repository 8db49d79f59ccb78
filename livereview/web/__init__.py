"""The screening room and the published pages, served by the owner."""
