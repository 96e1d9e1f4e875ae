"""`python -m mockcic`: the command line where the script is not on the path."""

from mockcic.cli import main

if __name__ == "__main__":
    main()
