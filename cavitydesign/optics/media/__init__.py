"""The index of what a layer is made of, at complex frequency, and the stack in numbers."""
