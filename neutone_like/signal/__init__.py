"""The parts of a signal path inside TorchScript: rates, blocks, queues, filters, parameters, gains."""
