"""The running app: settings, sessions, templates, assets, jobs, command line, start-up checks."""
