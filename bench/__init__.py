"""Measures Collab beside other servers of Yjs documents. Start with `python -m bench --help`.

Reading order: `wire` (bytes), `edits` (what is typed), `tab` (one socket), `load` (many of them), `measure` (figures),
`servers` and `collab_server` (what is measured), `scenarios`, `capacity`, `stillness` (what is done to them), `rounds`
(in which order), `report`. Linux only.
"""
