"""Training, in PyTorch: photographs, synthetic composites, the loop, validation and export."""
