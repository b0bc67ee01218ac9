"""The monitoring platform 监测平台: readings that are pushed to us."""
