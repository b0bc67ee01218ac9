"""Pages of coordinates 坐标转换: points in two systems, and parameters fitted to control points."""
