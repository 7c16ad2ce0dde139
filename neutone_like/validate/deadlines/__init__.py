"""A live model in the native engine at real deadlines: played, held against the reference, judged."""
