"""Training of `emoji-clip`, the small CLIP that comes with this package."""
