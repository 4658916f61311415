"""A trained listener: musicnn's weights, read and run with numpy alone.

The way of a track: `slices` (eight times three seconds) -> `log_mel` -> `network` -> `derive`
(scores that mean the same in every library) -> `meaning`; `listener` puts them together.
The way of the weights, once a process: `weights` finds them in the installed package ->
`checkpoint` reads them -> `pruning` leaves out what is dead. `models` tells what a model is, `msd`
is one: another is a file beside it. The package's licence is in NOTICE.
"""
