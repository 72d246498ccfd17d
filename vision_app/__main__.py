"""`python -m vision_app ...`"""

from vision_app.cli import app

if __name__ == "__main__":
    app(prog_name="vision_app")
