"""Decisions and records in the words of other screening tools: bytes in, rows out, and the other
way.
"""
