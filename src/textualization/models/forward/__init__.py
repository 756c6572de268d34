"""The parts of a forward pass, which all passes over a model share."""
