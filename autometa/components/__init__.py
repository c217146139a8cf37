"""Components: independent rooms above the domain; they do not import each other."""
