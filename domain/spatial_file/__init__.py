"""Files with features as people send them: one reader for every format, and one value for what was read."""

from domain.spatial_file.coordinate_words import suggest_system
from domain.spatial_file.model import FileField, FileLayer, SpatialFile
from domain.spatial_file.reading import read_spatial_file
from domain.spatial_file.understood import Understood, understood

__all__ = ["FileField", "FileLayer", "SpatialFile", "Understood", "read_spatial_file", "suggest_system", "understood"]
