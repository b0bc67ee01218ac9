"""Administration 管理: accounts, organisations, roles, and what the whole portal is set to."""
