"""Which addresses may be read at all: their form, and whether an IP address is public."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from gemba.fetch.errors import BadAddress, NotPublic

LONGEST_ADDRESS = 2000
FIRST_FREE_PORT = 1024
"""Below live mail, remote shells and the like, which must not be spoken to in HTTP."""
DEFAULT_PORTS = {"http": 80, "https": 443}
_GLOBAL_V6 = ip_network("2000::/3")
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's platform, reached from every machine there
        "192.0.0.0/24",  # protocol assignments, Oracle's metadata among them
        "192.88.99.0/24",  # 6to4 relays
        "2002::/16",  # 6to4
        "2001::/23",  # Teredo and other tunnels
        "3fff::/20",  # documentation
    )
)


@dataclass(frozen=True)
class Target:
    """An address taken apart. `repr` leaves out its path, which may be a secret."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)

    @property
    def origin(self) -> tuple[str, str, int]:
        """What has to be the same for a secret header to be sent again."""
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        """The whole again, without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def clean_address(url: str) -> str:
    """The address as it is stored: webcal:// is https://, the fragment is gone. Raises BadAddress, NotPublic.

    Looks up nothing: a name that leads into a private network is found out when it is read.
    """
    url = url.strip()
    for scheme in ("webcal://", "webcals://"):
        if url.casefold().startswith(scheme):
            url = "https://" + url[len(scheme) :]
    target = parse(url)
    if _literal(target.host) is not None:
        check([target.host], ())
    if target.host == "localhost" or target.host.endswith((".localhost", ".local", ".internal")):
        raise NotPublic
    return target.url


def parse(url: str) -> Target:
    """The parts of an http or https address. Raises BadAddress."""
    if len(url) > LONGEST_ADDRESS or any(ord(ch) <= 32 or ord(ch) == 127 for ch in url):
        raise BadAddress
    try:
        parts = parse_url(url)
        port = parts.port if parts.port is not None else DEFAULT_PORTS.get(parts.scheme or "", 0)
    except (LocationParseError, ValueError) as error:
        raise BadAddress from error
    host = (parts.host or "").strip("[]").partition("%")[0].rstrip(".")
    if parts.scheme not in DEFAULT_PORTS or not host or parts.auth is not None:
        raise BadAddress
    if port not in DEFAULT_PORTS.values() and port < FIRST_FREE_PORT:
        raise BadAddress
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def is_public(address: str, allowed: Sequence[str] = ()) -> bool:
    """Whether an IP address is one of the public internet, or of a network in `allowed`."""
    ip = ip_address(address.partition("%")[0])
    if any(ip in ip_network(each) for each in allowed):
        return True
    if any(ip in network for network in _NOT_PUBLIC):
        return False
    return _is_global(ip)


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    # 2000::/3 leaves out what wraps an IPv4 address (::ffff:…, 64:ff9b::…) and site-local ones.
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def check(addresses: Sequence[str], allowed: Sequence[str]) -> None:
    """Raises NotPublic where one of them is not: a name with two faces is not trusted with the other one."""
    if not all(is_public(address, allowed) for address in addresses):
        raise NotPublic


def _literal(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None
