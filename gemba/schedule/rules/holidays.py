"""Public holidays by country, from the `holidays` library (github.com/vacanza/holidays)."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache


@lru_cache(maxsize=1024)
def public_holidays(country: str, year: int) -> Mapping[date, str]:
    """Return the public holidays of a country in a year, with their English names.

    `country` is a code of `holiday_countries`, such as DE, or a part of one, such as DE-BY. An unknown one
    has no holidays: what is stored outlives a release of the library that drops it.
    """
    # The library reads its hundreds of countries when it is imported: only who uses holidays waits for that.
    import holidays

    code, _, part = country.partition("-")
    try:
        return dict(holidays.country_holidays(code, subdiv=part or None, years=year, language="en_US"))
    except NotImplementedError:
        return {}


@lru_cache(maxsize=1)
def holiday_countries() -> frozenset[str]:
    """Return the codes that can be chosen: countries, and their parts where those differ."""
    import holidays

    parts = holidays.list_supported_countries(include_aliases=False)
    return frozenset(parts) | {f"{code}-{part}" for code, names in parts.items() for part in names}


@lru_cache(maxsize=256)
def holiday_parts(country: str) -> Mapping[str, str]:
    """Return the parts of a country that have holidays of their own: DE-BY with its name, Bayern, by name."""
    import holidays

    codes = holidays.list_supported_countries(include_aliases=False).get(country)
    if not codes:
        return {}
    names = holidays.country_holidays(country).get_subdivision_aliases()
    parts = {f"{country}-{code}": (names.get(code) or [code])[0] for code in codes}
    return dict(sorted(parts.items(), key=lambda part: part[1].casefold()))
