"""Cases of patches 图斑立案: what an inspection admitted to its layer becomes a case each, once, and is followed to its partners."""
