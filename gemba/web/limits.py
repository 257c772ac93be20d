"""How often one address may ask: the limiter that views put their own limits on."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, default_limits=["6000 per minute"], headers_enabled=True)
