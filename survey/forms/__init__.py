"""Forms: they turn what a browser sent into checked values of our own types, and read no table."""
