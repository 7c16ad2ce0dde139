"""From a captured network to a plan that plays without PyTorch: numbers, and no code."""
