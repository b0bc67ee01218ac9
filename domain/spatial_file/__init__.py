"""Files with features as people send them: one reader for every format, and one value for what was read."""

from domain.spatial_file.model import FileField, FileLayer, SpatialFile

__all__ = ["FileField", "FileLayer", "SpatialFile"]
