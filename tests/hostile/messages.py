"""A message can only hurt itself: lengths, sizes, floods."""

CASES = ()
