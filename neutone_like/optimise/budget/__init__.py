"""What a model can be made into within a budget of time, a size and a quality: measured, point by point."""
