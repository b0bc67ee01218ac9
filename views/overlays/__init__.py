"""Pages of overlays 叠加分析: the list, asking, a result, comparing two, the preset analyses."""
