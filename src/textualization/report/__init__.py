"""Output for readers: tables, figures, sentences, the atlas."""
