"""Scripts a model and writes its artifact, whole or not at all."""
