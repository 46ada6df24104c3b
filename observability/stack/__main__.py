"""Writes every generated file of this folder: `python -m observability.stack` (`make stack`)."""

from observability.stack.generators import FOLDER, GENERATORS


def main() -> None:
    """Writes what differs from what the generators make, and names it."""
    for module, files in GENERATORS.items():
        for name, text in files().items():
            file = FOLDER / name
            if not file.exists() or file.read_text("utf-8") != text:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
                print(f"{name}: written by {module}")


if __name__ == "__main__":
    main()
