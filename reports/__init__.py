"""What the answers say: pure functions and frozen values, without web or database."""
