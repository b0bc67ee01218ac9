"""The words of the trade: tables, commands and pure functions, one module per noun."""
