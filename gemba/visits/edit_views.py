"""Pages of visits."""

from flask import Blueprint

blueprint = Blueprint("edits", __name__)
