"""Pages of thematic maps: making one, its pictures and files, and the saved ones."""
