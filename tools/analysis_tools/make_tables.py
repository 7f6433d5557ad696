"""The same as ``mmrvos table``, without an installed command."""
from mmrvos.commands.table import main

if __name__ == '__main__':
    main()
