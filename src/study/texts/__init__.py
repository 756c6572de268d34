"""What texts a study reads and finds: sentences of a corpus, short texts, searches of experiments."""
