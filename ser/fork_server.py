"""What the process that trainings are forked from imports: all that they need.

A terminal and a cluster send a signal to every process of a job. This one must not end before the trainings, or nobody
would learn how they ended: signals wait in it, and each training lets those through that were sent to itself.
"""

import signal

from ser.interruption import ENDING

signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

import ser.session  # noqa: E402
import ser.validated  # noqa: E402, F401
