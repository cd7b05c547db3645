"""Sites: their plans, their state and their part of the API."""
