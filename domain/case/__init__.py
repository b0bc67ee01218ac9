"""A filing 办件: its tables, and one module per group of acts on it."""
