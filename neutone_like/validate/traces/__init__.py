"""What becomes of a network's state when it is traced: seen in its source, in its graph, and beside the original."""
