"""`python -m hf_rumor` is `hf-rumor`."""

import sys

from hf_rumor.cli.main import main


if __name__ == "__main__":
    sys.exit(main())
