"""The voting engine: margins of pairs with their error, and the rules that turn them into an order."""
