"""The loop from frames to answers, and how it is shown."""
