"""Updates of layers 图层更新: upload, difference, confirmation, one edition, and the way back."""
