"""Training loops, losses, augmentation."""
