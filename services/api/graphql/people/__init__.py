"""What people and their programs ask: queries, mutations and subscriptions."""
