"""The one way out to addresses that people typed: nothing else here opens a connection on their word.

The name is resolved once, every address it has must be public, and exactly such an address is dialled, so
that neither a redirect nor a second answer of the name server leads into our own network. Certificates and
the Host header go by the name. Nothing takes longer than it is given, however slowly the other side drips,
and nothing grows larger than it may, packed or unpacked. Addresses are secrets: none stands in an error.
"""

from gemba.fetch.addresses import clean_address, is_public
from gemba.fetch.client import Answer, Fetcher
from gemba.fetch.errors import BadAddress, FetchFailed, NotPublic
from gemba.fetch.wire import Lines

__all__ = [
    "Answer",
    "BadAddress",
    "FetchFailed",
    "Fetcher",
    "Lines",
    "NotPublic",
    "clean_address",
    "is_public",
]
