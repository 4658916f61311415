"""Common ground of the services: contracts, and the ports that more than one service uses."""
