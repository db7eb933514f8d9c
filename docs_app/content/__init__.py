"""What a document says, read on the server from its CRDT state."""

# Version of the editor's schema (`frontend/src/editor/schema.ts`). A page with another one is asked to reload: it would
# delete what it does not know.
SCHEMA_VERSION = 1
