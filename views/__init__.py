"""Screen actions: read the request, check access, call domain, answer a page or a fragment."""
