"""What is taken away and brought in: packs, tables, films, TensorBoard, code, G as a function, data sets."""
