"""People: who they are, how the first one arrives, how they sign in."""
