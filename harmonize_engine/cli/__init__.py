"""The command line, `harmonize`: one file per verb."""
