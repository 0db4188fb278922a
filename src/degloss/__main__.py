"""`python -m degloss` is the command `degloss`."""

from degloss.cli import main

if __name__ == "__main__":
    main()
