"""Other systems, simulated on Linux: what they lack is removed before a process imports anything of the project."""
