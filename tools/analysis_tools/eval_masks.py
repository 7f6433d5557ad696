"""Score masks on disk that any program has written: ``mmrvos eval``."""
import sys

from mmrvos.commands.eval import main

if __name__ == '__main__':
    sys.exit(main())
