"""The rules workbench 规则工作台: the library, one rule set, drafts, review and publication, files and conflicts."""
