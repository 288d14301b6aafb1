"""A blind study: people choose between pairs of pictures, and the scores that explain their choices."""
