"""Effect sizes and their synthesis: pure functions, numbers in and numbers out, no files and no
clock.
"""
