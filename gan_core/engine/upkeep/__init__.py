"""What runs need: a judge, memory, room on the disk, a best state, a store that is well."""
