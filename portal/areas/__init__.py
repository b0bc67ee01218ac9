"""The route table by area of the portal: each module lists its PAGES."""
