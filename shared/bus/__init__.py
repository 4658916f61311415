"""The bus: its port, its error policy, and its adapters."""
