"""Files an artist opens: layered pictures for Krita, GIMP and others, and curves for every tool that reads them."""
