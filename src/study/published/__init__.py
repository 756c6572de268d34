"""What docs/ publishes of finished studies."""
