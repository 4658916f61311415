"""What the services ask of the gateway: batch mutations, and what they need for their work."""
