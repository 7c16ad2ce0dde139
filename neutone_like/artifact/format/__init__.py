"""The ``.nm`` file as data: archive, schemas, limits, records."""
