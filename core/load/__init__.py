"""Loading a payer's file into the store."""

WORKER_MODULES = ("core.load.worker_tasks",)
"""What worker processes import before their first task. Named here, so that a command can start them without importing
it: importing the loader takes as long as starting the workers does, and both go on at the same time.
"""
