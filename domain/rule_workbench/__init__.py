"""The rules at work 规则工作台: what they are asked for and answer, what if, golden cases from real decisions, and who may know."""
