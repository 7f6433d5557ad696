import sys

from mmrvos.cli import main

sys.exit(main())
