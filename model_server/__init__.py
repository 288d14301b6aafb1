"""The localhost server around the engine; its home, not built yet."""
