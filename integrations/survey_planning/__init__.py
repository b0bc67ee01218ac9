"""The survey and planning data services that prefill pipeline projects."""
