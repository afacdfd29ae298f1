"""What cannot be done, in words."""


class Problem(Exception):
    """Its text is for a person: what is wrong, and where it can be said, what would help."""
