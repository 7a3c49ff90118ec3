"""Runs one of Swift's programs on a configuration outside /etc/swift, with files in place of syslog.

Usage: launch.py ETC LOG PROGRAM ARGUMENT...

ETC holds swift.conf. LOG.log gets what the program has to say; LOG.access.log, of a proxy, one line
for each request, in the format that Swift documents for its proxy logs. A line whose first field is
"-" is a request that a middleware made on its own account.
"""

import runpy
import sys
from logging.handlers import SysLogHandler, WatchedFileHandler

from swift.common import utils

ACCESS_FACILITY = SysLogHandler.LOG_LOCAL1


def file_log(base):
    """A class that takes the place of Swift's syslog handler and writes to files named after base."""

    class FileLog(WatchedFileHandler):
        def __init__(self, address=None, facility=None):
            self.access = facility == ACCESS_FACILITY
            super().__init__(base + (".access.log" if self.access else ".log"))

        def setFormatter(self, _):
            line = "%(message)s" if self.access else "%(asctime)s %(message)s"
            super().setFormatter(utils.SwiftLogFormatter(fmt=line))

    return FileLog


def main():
    etc, log, program, *arguments = sys.argv[1:]
    utils.ThreadSafeSysLogHandler = file_log(log)
    utils.set_swift_dir(etc)

    # Swift read its constraints from the default place when they were first imported.
    from swift.common import constraints, storage_policy

    constraints.reload_constraints()
    storage_policy.reload_storage_policies()

    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
