"""Scripts that make files of the package; nothing at run time imports them."""
