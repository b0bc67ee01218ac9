"""Sample data for demo databases; everything here is made up and marked 样例."""
