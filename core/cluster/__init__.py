"""What runs beyond one machine: files loaded on many machines, published to object storage, copied back to serve.

Only commands import this room. It needs the optional dependencies of the group `cluster`, see docs/cluster.md.
"""
