"""Where a team keeps its documents, and what its members may do there by default."""
