"""The life of rule editions 规则版本: draft, review, publication, roll back, and the files that stay in step."""
