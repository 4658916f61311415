"""What the gateway shows, a type or a family of types a file."""
