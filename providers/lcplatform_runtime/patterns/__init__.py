"""Patterns of events: the language in which rules say what an event must be like (FR-045).

It is that of EventBridge, operator by operator, as AWS documents it ("Comparison operators for use in event patterns in Amazon
EventBridge") and, where that leaves something open, as AWS's own Event Ruler does it. `grammar` reads and refuses patterns,
`plain` says slowly and plainly whether an event matches, and `rules` does so for thousands of patterns at once.
"""
