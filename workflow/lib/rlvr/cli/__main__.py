"""``python -m rlvr.cli``, where the command is not installed."""

from rlvr.cli.app import main

if __name__ == "__main__":
    main()
