"""Vision Workbench: builds and launches the app. A Hugging Face Space runs this file."""

import argparse

from vision_app.errors import InputError


def main() -> None:
    """Serve the app until it is ended."""
    parser = argparse.ArgumentParser(description="Serve Vision Workbench in the browser.")
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, help="0 takes any free one; default 7860")
    options = parser.parse_args()
    from vision_app.ui.server import serve

    try:
        serve(options.host, options.port)
    except InputError as error:
        parser.exit(2, f"Error: {error}\n")


if __name__ == "__main__":
    main()
