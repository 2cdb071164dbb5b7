"""Writes phone_zones.tsv. Run: pip install phonenumbers && python generate_phone_zones.py > phone_zones.tsv"""

from collections import defaultdict

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

zones_by_prefix = defaultdict(set)
for prefix, zones in TIMEZONE_DATA.items():
    country_code = next(prefix[:n] for n in (1, 2, 3) if int(prefix[:n]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    # North America is told apart by area code, every other country is taken whole.
    group = prefix[:4] if country_code == "1" else country_code
    zones_by_prefix[group].update(zone for zone in zones if zone != "Etc/Unknown")

print("# Telephone prefixes (after the +) and the IANA time zones their numbers may be in, separated by a tab.")
print(f"# Source: libphonenumber's time zone map, through PyPI phonenumbers {phonenumbers.__version__}, reduced by")
print("# generate_phone_zones.py to area codes in North America and to country codes elsewhere.")
for prefix, zones in sorted(zones_by_prefix.items()):
    if zones:
        print(prefix, " ".join(sorted(zones)), sep="\t")
