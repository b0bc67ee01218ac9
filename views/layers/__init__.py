"""Pages of layers 图层: the catalogue, one layer, its features and versions, one feature, and what its data manager writes."""
