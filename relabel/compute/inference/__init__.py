"""What models need wherever they run: images read ahead, batches that fit, a model loaded once."""
