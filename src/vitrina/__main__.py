"""``python -m vitrina`` is the command ``vitrina``."""

from vitrina.cli.main import app

if __name__ == "__main__":
    app(prog_name="vitrina")
