"""Pages of the updates of layers: asking, what would change, confirming, the way back."""
