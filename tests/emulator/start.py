"""Starts the emulator, whose functions get the variables of the first argument besides their own."""

import json
import os
import sys

from ministack.app import main
from ministack.core import sigv4

# The functions' clock is ahead of the emulator's, which would refuse their requests for it.
sigv4.request_time_failure = lambda *_: None

variables = json.loads(sys.argv.pop())
os.environ.update(variables)
main()
