"""`python -m deploy.cli`: the command without its script."""

from deploy.cli.entry import main

if __name__ == "__main__":
    main()
