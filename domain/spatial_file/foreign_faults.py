"""What libraries that parse files of others raise for damaged ones, beside their own errors."""

import struct
import zipfile
import zlib

PARSER_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RecursionError, StopIteration, SyntaxError,
    TypeError, ValueError, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""Found by changing bytes of sound files at random. Each is turned into a refusal that names the file, with its cause."""
