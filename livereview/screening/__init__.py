"""The rules of screening: what may be decided, where a report stands, how alike people decide.

Pure.
"""
