"""What people bring, read within bounds: zip files, pictures, tables. No torch, so that a process to read it begins at once."""
