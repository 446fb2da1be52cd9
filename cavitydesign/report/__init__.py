"""What people look at: figures, and what was predicted beside what was published."""
