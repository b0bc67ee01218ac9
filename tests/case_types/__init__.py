"""Case types that tests write into a folder at run time: the engine must serve them without a line of Python."""
