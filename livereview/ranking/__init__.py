"""Ranking orders the queue and says how much may be left.

It hides no record and decides nothing.
"""
