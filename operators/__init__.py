"""What one click does. One file per operator."""
