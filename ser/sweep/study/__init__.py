"""What a study asks for, and where it is kept."""
