"""Where pages wait before they are deleted for good."""
