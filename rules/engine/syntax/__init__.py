"""The typed syntax tree of conditions and calculated values: one small class per operator."""
