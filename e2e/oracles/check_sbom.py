"""Holds the bill of materials against CycloneDX's published schema, with CycloneDX's own library. Takes its path."""

import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
validator = JsonStrictValidator(SchemaVersion.V1_6)
if validator.validate_str(text.replace('"library"', '"novel"', 1)) is None:
    sys.exit("the validator lets everything through")
fault = validator.validate_str(text)
if fault is not None:
    sys.exit(f"not CycloneDX 1.6: {fault}")
