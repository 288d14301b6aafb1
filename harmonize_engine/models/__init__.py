"""Networks, in PyTorch; imported for training and export only."""
