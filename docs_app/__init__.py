"""The product: people, workspaces, documents and rights, a folder per feature.

`access` says who may do what, `live` is how the product reaches open tabs, and `models`, `admin` and `urls` only
collect what the folders define.
"""
