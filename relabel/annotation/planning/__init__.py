"""What a round would send, and what that costs, before it is sent."""
