"""Inspection tasks as people use them: packages uploaded, read, confirmed, inspected, excepted, corrected, exported, admitted."""
