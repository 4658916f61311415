"""A trained listener: musicnn's weights, read and run with numpy alone."""
