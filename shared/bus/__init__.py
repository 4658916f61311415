"""The event bus: its port, its error policy, and its adapters.

`port` is what services see. `dispatch` hands batches to their handlers under the rules of `policy`,
for both adapters: `in_process` (with `topic_log`) and `kafka`.
"""
