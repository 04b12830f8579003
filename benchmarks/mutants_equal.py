"""Why a mutant that no test notices is no fault: by its module, and by what was done to which line."""

EQUAL: dict[tuple[str, str], str] = {}
