"""The running app: settings, sessions, templates, assets, jobs, command line, start-up checks."""

import gc

# Loading makes half a million objects that stay. At Python's own threshold of 700 new objects they are searched for garbage
# a thousand times over, a fifth of the start; a request makes fewer than these and is hardly ever stopped for a search.
gc.set_threshold(20_000, 10, 5)
