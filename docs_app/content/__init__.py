"""What a document says, read on the server from its CRDT state."""
