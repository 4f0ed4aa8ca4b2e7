"""The engine behind the mock's DocumentStore: filters, updates, indexes, transactions, pipelines, changes."""
