"""Shares of layers 成果共享: applied for, admitted by rules, decided by the data manager, used, recorded, withdrawn."""
