"""Ranking orders the queue and says how much may be left; it hides no record and decides nothing."""
