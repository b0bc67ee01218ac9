"""Rule sets and case types as data, and the engine that evaluates them."""
