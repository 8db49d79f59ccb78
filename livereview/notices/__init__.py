"""What is told to people and programs outside: digests by mail and events by webhook.

`digest` and `message` say what is told and are pure; `send` is the only part that talks to the
network.
"""
