"""Runs the command line in a checkout: `python cli.py --help`."""

from car.cli import main

main()
