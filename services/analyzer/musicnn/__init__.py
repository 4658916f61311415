"""A trained listener: musicnn's weights, read and run with numpy alone.

The way of a track: `slices` (eight times three seconds) -> `log_mel` -> `network` -> `derive`
(scores that mean the same in every library); `listener` puts them together into the contract's
`Meaning`.
The way of the weights, once a process: `package` finds them where they are installed ->
`weights` and `checkpoint` read them -> `pruning` leaves out what is dead. `models` tells what a
model is, `msd` is one: another is a file beside it. The package's licence is in NOTICE.
"""
