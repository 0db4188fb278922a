"""How fast degloss is, and how much memory it takes: `make bench`.

Every figure is a ratio or the shortest of several runs in processor time, and what is compared runs in turn, so that
other work on the machine falls on all sides alike. docs/performance.md has the results and what was learnt of them.
"""
